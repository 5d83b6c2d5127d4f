//! Where servers may be that a stranger has named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::access::InvalidAccess;

/// Where servers may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere, and redirects may lead anywhere.
    #[default]
    Anywhere,
    /// Behind https at addresses of the public internet, and where they redirect to on the same
    /// host. For addresses that come from files rather than from who runs the cluster.
    Public {
        /// Hosts, each with its port if it is not that of the scheme, that are reached by any scheme
        /// and wherever they are.
        also: Vec<String>,
    },
}

/// A name leads to no address that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the host has no address of the public internet")]
struct NotPublic;

impl Reach {
    /// Refuses what can be told from the address alone.
    pub(crate) fn check(&self, url: &Url) -> Result<(), InvalidAccess> {
        let Self::Public { also } = self else { return Ok(()) };
        let host = url.host_str().unwrap_or_default();
        if is_named(also, host, url.port()) {
            return Ok(());
        }
        // A name is looked at when it is resolved.
        let literal = host.trim_matches(['[', ']']).parse().ok();
        if url.scheme() == "https" && literal.is_none_or(is_public) {
            Ok(())
        } else {
            Err(InvalidAccess::NotPublic { host: host.to_owned() })
        }
    }

    /// Whether a redirect may lead from one server to another one.
    pub(crate) const fn crosses_hosts(&self) -> bool {
        matches!(self, Self::Anywhere)
    }

    /// What resolves names so that no private address comes out; none if any may.
    pub(crate) fn resolver(&self) -> Option<PublicResolver> {
        match self {
            Self::Anywhere => None,
            Self::Public { also } => Some(PublicResolver { also: also.clone() }),
        }
    }
}

/// Resolves names to public addresses only. What is connected to is what was looked at here, so a
/// name that changes its mind between two questions gains nothing.
pub(crate) struct PublicResolver {
    also: Vec<String>,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let anywhere = self.also.iter().any(|one| without_port(one).eq_ignore_ascii_case(&host));
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> =
                found.filter(|address| anywhere || is_public(address.ip())).collect();
            if admitted.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

fn is_named(also: &[String], host: &str, port: Option<u16>) -> bool {
    let full = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    also.iter().any(|one| one.eq_ignore_ascii_case(&full))
}

fn without_port(named: &str) -> &str {
    match named.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => named,
    }
}

/// Whether an address is one of the public internet, by the registries of special addresses
/// (RFC 6890 and its kin).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || matches!(
            (a, b, c),
            // This network, carrier-grade NAT, protocol assignments, relays, benchmarks, reserved.
            (0, ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18 | 19, _)
        )
        || a >= 240;
    !is_special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4() {
        // Mapped and compatible ones lead to where the old ones lead; so do `::` and `::1`.
        return is_public_v4(v4);
    }
    match ip.segments() {
        // Translated and tunnelled ones do, too.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Protocol assignments, and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // All that was ever given out for public use.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, also: &[&str]) -> bool {
        let also = also.iter().map(|one| (*one).to_owned()).collect();
        Reach::Public { also }.check(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn only_public_addresses_are_reached() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "140.82.121.3", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_alone_may_say_enough() {
        assert!(check("https://github.com/a/b", &[]));
        // However a private one is written.
        for private in [
            "http://github.com/a",
            "https://127.0.0.1/a",
            "https://2130706433/a",
            "https://0x7f.1/a",
            "https://[::1]/a",
            "https://[::ffff:a9fe:a9fe]/a",
        ] {
            assert!(!check(private, &[]), "{private}");
        }
        assert!(check("http://127.0.0.1:8080/a", &["127.0.0.1:8080"]));
        assert!(!check("http://127.0.0.1:8081/a", &["127.0.0.1:8080"]));
        assert!(check("https://Git.corp/a", &["git.corp"]));
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_leads_nowhere() {
        let resolve = |also: &[&str]| {
            let also = also.iter().map(|one| (*one).to_owned()).collect();
            PublicResolver { also }.resolve("localhost".parse().unwrap())
        };
        assert!(resolve(&[]).await.is_err_and(|error| error.is::<NotPublic>()));
        assert!(resolve(&["localhost:8443"]).await.is_ok());
    }
}
