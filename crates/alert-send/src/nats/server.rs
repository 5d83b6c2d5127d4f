//! Addresses of NATS servers.

use http_access::Login;
use rustls::pki_types::ServerName;
use secret_text::Secret;
use url::Url;

use super::error::Fault;

/// Where a server is if its address does not say.
const PORT: u16 = 4222;
/// Limit: servers of one provider.
const SERVERS: usize = 16;

/// A server.
pub(super) struct Server {
    /// Name or IP address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether nothing is said before the connection is encrypted.
    pub(super) wants_tls: bool,
    pub(super) login: Option<UrlLogin>,
}

/// Who we are by the address.
pub(super) enum UrlLogin {
    /// A name without a password is a token.
    Token(Secret),
    Password(Login),
}

/// The servers that an address names, with commas between them: each will do.
pub(super) fn servers(address: &str) -> Result<Vec<Server>, Fault> {
    let addresses = address.split(',').map(str::trim).filter(|address| !address.is_empty());
    let servers: Vec<Server> =
        addresses.take(SERVERS).map(Server::parse).collect::<Result<_, _>>()?;
    if servers.is_empty() { Err(Fault::Address) } else { Ok(servers) }
}

impl Server {
    fn parse(address: &str) -> Result<Self, Fault> {
        let (scheme, rest) = address.split_once("://").unwrap_or(("nats", address));
        if matches!(scheme, "ws" | "wss") {
            return Err(Fault::WebSocket);
        }
        // The library knows nothing about this scheme, and so drops no port.
        let mut url = Url::parse(&format!("nats://{rest}")).map_err(|_quotes| Fault::Address)?;
        let has_password = url.password().is_some();
        let login = Login::take_from(&mut url).map(|login| {
            if has_password {
                UrlLogin::Password(login)
            } else {
                UrlLogin::Token(Secret::new(login.username))
            }
        });
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        // Whatever can have no certificate is no host.
        if ServerName::try_from(host.as_str()).is_err() {
            return Err(Fault::Address);
        }
        let port = url.port().unwrap_or(PORT);
        Ok(Self { host, port, wants_tls: scheme == "tls", login })
    }
}

#[cfg(test)]
mod tests {
    use fuzz_input::{Corpus, check};

    use super::*;

    fn told(address: &str) -> String {
        let told = |server: Server| {
            let login = match server.login {
                None => String::new(),
                Some(UrlLogin::Token(token)) => format!("{}@", token.expose()),
                Some(UrlLogin::Password(login)) => {
                    format!("{}:{}@", login.username, login.password.expose())
                }
            };
            let scheme = if server.wants_tls { "tls" } else { "any" };
            format!("{scheme} {login}{} {}", server.host, server.port)
        };
        match servers(address) {
            Ok(servers) => servers.into_iter().map(told).collect::<Vec<_>>().join(", "),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn servers_are_named_in_every_way() {
        for (address, servers) in [
            ("nats://nats.example", "any nats.example 4222"),
            ("nats.example:80", "any nats.example 80"),
            ("tls://nats.example:443/", "tls nats.example 443"),
            ("http://nats.example:80", "any nats.example 80"),
            ("nats://[::1]:1", "any ::1 1"),
            ("nats://token%2F@a", "any token/@a 4222"),
            ("nats://me:p%40w@a", "any me:p@w@a 4222"),
            ("nats://a, tls://b:1", "any a 4222, tls b 1"),
        ] {
            assert_eq!(told(address), servers, "{address}");
        }
    }

    #[test]
    fn addresses_that_are_nearly_right() {
        let corpus =
            Corpus::of(["nats://me:p%40w@nats.example:4222", "tls://[::1]:1,b", "a:1, b:2"]);
        check(1000).with_generator(corpus.text()).for_each(|address: &String| {
            told(address);
        });
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_named() {
        for address in ["", ",", "nats://", "nats://a b", "nats://a:port", "nats://a:0x1", "/path"]
        {
            assert!(
                matches!(servers(address), Err(Fault::Address)),
                "{address}: {}",
                told(address)
            );
        }
        assert!(matches!(servers("wss://a"), Err(Fault::WebSocket)));
    }
}
