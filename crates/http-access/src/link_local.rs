//! Addresses at which only the machine itself is served, credentials included.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A name leads to nothing but link-local addresses.
#[derive(Debug, thiserror::Error)]
#[error("the host has link-local addresses only, which are not asked")]
struct OnlyLinkLocal;

/// Whether a URL names such an address itself. A name is looked at when it is resolved.
pub(crate) fn is_named(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.parse().is_ok_and(is_link_local)
}

/// The host of a proxy whose URL names such an address. The scheme may be missing there.
pub(crate) fn of_proxy(url: &str) -> Option<String> {
    let whole = Url::parse(url).ok().filter(Url::has_host);
    let url = whole.or_else(|| Url::parse(&format!("http://{url}")).ok())?;
    is_named(&url).then(|| url.host_str().unwrap_or_default().to_owned())
}

/// Resolves names so that no link-local address comes out. What is connected to is what was looked at
/// here, so a name that changes its mind between two questions gains nothing.
pub(crate) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> =
                found.filter(|address| !is_link_local(address.ip())).collect();
            if admitted.is_empty() {
                return Err(OnlyLinkLocal.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Whether only the machine itself is served at an address: link-local by the standards, and the
/// addresses outside of them at which clouds do the same.
pub fn is_link_local(ip: IpAddr) -> bool {
    /// Amazon, by IPv6.
    const AMAZON: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.octets() == [100, 100, 100, 200],
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_link_local(IpAddr::V4(ip)),
            None => ip.is_unicast_link_local() || ip == AMAZON,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_servers_are_told_from_servers() {
        for (url, link_local) in [
            ("http://169.254.169.254/latest", true),
            ("http://[fe80::1]/", true),
            ("http://[::ffff:169.254.169.254]/", true),
            ("http://[fd00:ec2::254]/", true),
            // The URL parser has made an address of the number.
            ("http://2852039166/", true),
            ("http://127.0.0.1:80/", false),
            ("http://10.0.0.1/", false),
            ("https://example.com/", false),
        ] {
            assert_eq!(is_named(&Url::parse(url).unwrap()), link_local, "{url}");
        }
    }

    #[test]
    fn proxies_are_servers_too() {
        for (url, refused) in [
            ("http://169.254.169.254", true),
            ("169.254.169.254:80", true),
            ("user:pw@169.254.169.254:80", true),
            ("socks5://[fe80::1]:1080", true),
            ("http://user:pw@2852039166", true),
            ("http://127.0.0.1:3128", false),
        ] {
            assert_eq!(of_proxy(url).is_some(), refused, "{url}");
        }
    }

    #[tokio::test]
    async fn names_lead_to_no_metadata_server() {
        for (name, leads_there) in
            [("localhost", true), ("169.254.169.254", false), ("::ffff:169.254.169.254", false)]
        {
            let found = Resolver.resolve(name.parse().unwrap()).await;
            let found = found.map(|addresses| addresses.count() > 0);
            assert_eq!(found.unwrap_or(false), leads_there, "{name}");
        }
    }
}
