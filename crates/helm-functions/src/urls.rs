//! URLs, taken apart and put together by the rules of Go's `net/url`.

use go_template::{Entries, Functions, Map, Str, Type, Value};

use crate::arguments::{map, ok, text};
use crate::error::FunctionError;

/// Why a text is no URL, or a dict cannot become one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum UrlError {
    #[error("unable to parse url: parse {}: {fault}", go_quote::double(.url.as_bytes()))]
    Parse { url: String, fault: UrlFault },
    #[error("unable to parse userinfo in dict: parse {}: {fault}", go_quote::double(.url.as_bytes()))]
    Userinfo { url: String, fault: UrlFault },
    #[error("unable to parse {key} key, must be of type string, but {kind} found")]
    NotText { key: &'static str, kind: &'static str },
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum UrlFault {
    #[error("net/url: invalid control character in URL")]
    ControlCharacter,
    #[error("missing protocol scheme")]
    MissingScheme,
    #[error("first path segment in URL cannot contain colon")]
    ColonInFirstSegment,
    #[error("invalid character {} in host name", go_quote::double(.0.as_bytes()))]
    HostCharacter(String),
    #[error("invalid port {} after host", go_quote::double(.0.as_bytes()))]
    Port(String),
    #[error("missing ']' in host")]
    MissingBracket,
    #[error("invalid URL escape {}", go_quote::double(.0.as_bytes()))]
    Escape(String),
    #[error("net/url: invalid userinfo")]
    Userinfo,
}

pub(crate) fn register(f: &mut Functions) {
    f.add("urlParse", [Type::String], |_, a| {
        let url = text(a, 0);
        let parsed = parse(&url).map_err(|fault| {
            FunctionError::from(UrlError::Parse { url: url.clone().into_owned(), fault })
        })?;
        ok(parsed.into_map())
    });
    f.add("urlJoin", [Type::MAP], |_, a| {
        Ok(Value::str(join(&map(a, 0)).map_err(FunctionError::from)?))
    });
}

#[derive(Default)]
struct Url {
    scheme: String,
    opaque: String,
    /// Escaped as it will be printed.
    userinfo: String,
    host: String,
    path: Vec<u8>,
    query: String,
    fragment: Vec<u8>,
}

impl Url {
    fn into_map(self) -> Map {
        let hostname = hostname(&self.host).to_owned();
        let pairs: [(&'static str, Value); 8] = [
            ("fragment", Value::str(self.fragment)),
            ("host", Value::str(self.host)),
            ("hostname", Value::str(hostname)),
            ("opaque", Value::str(self.opaque)),
            ("path", Value::str(self.path)),
            ("query", Value::str(self.query)),
            ("scheme", Value::str(self.scheme)),
            ("userinfo", Value::str(self.userinfo)),
        ];
        Map::new(pairs.into_iter().map(|(k, v)| (Str::constant(k), v)).collect::<Entries>())
    }
}

/// The host without port and brackets.
fn hostname(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn parse(url: &str) -> Result<Url, UrlFault> {
    if url.bytes().any(|b| b < b' ' || b == 0x7f) {
        return Err(UrlFault::ControlCharacter);
    }
    let mut parsed = Url::default();
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    parsed.fragment = unescape(fragment, Part::Fragment)?;
    if rest == "*" {
        parsed.path = b"*".to_vec();
        return Ok(parsed);
    }
    let (scheme, rest) = scheme(rest)?;
    parsed.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    query.clone_into(&mut parsed.query);
    if !rest.starts_with('/') {
        if !parsed.scheme.is_empty() {
            rest.clone_into(&mut parsed.opaque);
            return Ok(parsed);
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err(UrlFault::ColonInFirstSegment);
        }
    }
    let mut path = rest;
    let has_authority = !parsed.scheme.is_empty() || !rest.starts_with("///");
    if has_authority && let Some(authority) = rest.strip_prefix("//") {
        let end = authority.find('/').unwrap_or(authority.len());
        let (authority, after) = authority.split_at(end);
        path = after;
        (parsed.userinfo, parsed.host) = split_authority(authority)?;
    }
    parsed.path = unescape(path, Part::Path)?;
    Ok(parsed)
}

fn scheme(url: &str) -> Result<(&str, &str), UrlFault> {
    for (at, byte) in url.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err(UrlFault::MissingScheme),
            b':' => {
                let (scheme, rest) = url.split_at(at);
                return Ok((scheme, rest.get(1..).unwrap_or_default()));
            }
            _ => break,
        }
    }
    Ok(("", url))
}

fn split_authority(authority: &str) -> Result<(String, String), UrlFault> {
    let (userinfo, host) = match authority.rsplit_once('@') {
        Some((userinfo, host)) => (Some(userinfo), host),
        None => (None, authority),
    };
    let host = parse_host(host)?;
    let Some(userinfo) = userinfo else { return Ok((String::new(), host)) };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !userinfo.chars().all(allowed) {
        return Err(UrlFault::Userinfo);
    }
    let userinfo = match userinfo.split_once(':') {
        None => escape(&unescape(userinfo, Part::Userinfo)?, Part::Userinfo),
        Some((user, password)) => format!(
            "{}:{}",
            escape(&unescape(user, Part::Userinfo)?, Part::Userinfo),
            escape(&unescape(password, Part::Userinfo)?, Part::Userinfo)
        ),
    };
    Ok((userinfo, host))
}

fn parse_host(host: &str) -> Result<String, UrlFault> {
    if host.starts_with('[') {
        let end = host.rfind(']').ok_or(UrlFault::MissingBracket)?;
        check_port(host.get(end + 1..).unwrap_or_default())?;
    } else if let Some(colon) = host.rfind(':') {
        check_port(host.get(colon..).unwrap_or_default())?;
    }
    let bytes = unescape(host, Part::Host)?;
    Ok(go_template::lossy(&bytes))
}

fn check_port(port: &str) -> Result<(), UrlFault> {
    let valid = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
    };
    if valid { Ok(()) } else { Err(UrlFault::Port(port.to_owned())) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Path,
    Userinfo,
    Fragment,
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, UrlFault> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let digits = text.get(at + 1..at + 3);
            let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let Some(code) = code else {
                let end = (at + 3).min(bytes.len());
                let shown = go_template::lossy(bytes.get(at..end).unwrap_or_default());
                return Err(UrlFault::Escape(shown));
            };
            out.push(code);
            at += 3;
            continue;
        }
        let refused = part == Part::Host && byte.is_ascii() && must_escape(*byte, part);
        if refused {
            return Err(UrlFault::HostCharacter(char::from(*byte).to_string()));
        }
        out.push(*byte);
        at += 1;
    }
    Ok(out)
}

fn escape(bytes: &[u8], part: Part) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if must_escape(*byte, part) {
            out.push('%');
            out.extend(
                [byte >> 4, byte & 15]
                    .map(|n| char::from_digit(n.into(), 16).unwrap_or('0').to_ascii_uppercase()),
            );
        } else {
            out.push(char::from(*byte));
        }
    }
    out
}

fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    match part {
        Part::Host => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Part::Path => !b"$&+,/:;=@".contains(&byte),
        Part::Userinfo => !b"$&+,;=".contains(&byte),
        Part::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
    }
}

fn join(dict: &Map) -> Result<String, UrlError> {
    let part = |key: &'static str| match dict.get(key.as_bytes()) {
        None => Ok(Str::default()),
        Some(Value::Str(text)) => Ok(text),
        Some(other) => Err(UrlError::NotText { key, kind: other.kind_name() }),
    };
    let (scheme, host, path) = (part("scheme")?, part("host")?, part("path")?);
    let (query, opaque, fragment) = (part("query")?, part("opaque")?, part("fragment")?);
    let userinfo = userinfo(&part("userinfo")?.to_text())?;
    let mut out = String::new();
    if !scheme.is_empty() {
        out.push_str(&scheme.to_text());
        out.push(':');
    }
    if opaque.is_empty() {
        let has_authority = !scheme.is_empty() || !host.is_empty() || !userinfo.is_empty();
        let has_more = !host.is_empty() || !path.is_empty() || !userinfo.is_empty();
        if has_authority && has_more {
            out.push_str("//");
            if !userinfo.is_empty() {
                out.push_str(&userinfo);
                out.push('@');
            }
            out.push_str(&escape(host.as_bytes(), Part::Host));
        }
        let path = escape(path.as_bytes(), Part::Path);
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            out.push('/');
        }
        // A colon in the first segment would look like a scheme.
        if out.is_empty() && path.split('/').next().is_some_and(|first| first.contains(':')) {
            out.push_str("./");
        }
        out.push_str(&path);
    } else {
        out.push_str(&opaque.to_text());
    }
    if !query.is_empty() {
        out.push('?');
        out.push_str(&query.to_text());
    }
    if !fragment.is_empty() {
        out.push('#');
        out.push_str(&escape(fragment.as_bytes(), Part::Fragment));
    }
    Ok(out)
}

fn userinfo(text: &str) -> Result<String, UrlError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let url = format!("proto://{text}@host");
    match parse(&url) {
        Ok(parsed) => Ok(parsed.userinfo),
        Err(fault) => Err(UrlError::Userinfo { url, fault }),
    }
}
