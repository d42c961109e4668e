//! Base addresses of platforms: their own, that of a proxy, or that of a server on this machine.

use std::net::IpAddr;

use crate::Error;

/// Checks an address that stands in the settings under `name`. Plain http would show the token to everybody on the way,
/// so it is allowed only where there is no way: on this machine.
///
/// # Errors
/// When it is no address, or plain http to another machine.
pub fn base(name: &str, address: &str) -> Result<String, Error> {
    let wrong = |why: &str| Error::Permanent(format!("{name}: {why}"));
    let url = reqwest::Url::parse(address.trim()).map_err(|_| wrong("this is no address"))?;
    let host = url.host_str().ok_or_else(|| wrong("this address names no host"))?;
    let here = host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err(wrong("plain http is allowed only on this machine; use https")),
        _ => return Err(wrong("the address must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("the address must hold nothing but host, port and path"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in ["https://slack.com/api", "http://127.0.0.1:4000/api/", "http://[::1]:80/x", "http://localhost/api"]
        {
            assert!(base("SLACK_API_URL", good).is_ok(), "{good}");
        }
        for bad in ["http://slack.com/api", "http://127.0.0.1.example/api", "ftp://x", "slack.com", "", "https://a:b@c"]
        {
            assert!(base("SLACK_API_URL", bad).is_err(), "{bad}");
        }
        let error = base("SLACK_API_URL", "http://slack.com/api").map_err(|e| e.to_string());
        assert_eq!(error, Err("SLACK_API_URL: plain http is allowed only on this machine; use https".to_owned()));
    }

    #[test]
    fn the_path_joins_without_a_double_slash() {
        assert_eq!(base("X", "https://slack.com/api/"), Ok("https://slack.com/api".to_owned()));
    }
}
