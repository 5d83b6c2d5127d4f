//! Repositories that send too much, or something else.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use std::time::Duration;

use chart_repository::{FetchError, Repository};
use helm_chart::index::IndexEntry;
use http_access::{Access, Client, Login, Secret};
use testbed::{Access as Wanted, ChartServer};
use tokio::time::Instant;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn repository(server: &ChartServer, passes: bool) -> Repository {
    let client = Client::new(&Access::default()).unwrap();
    let login = Login { username: "me".to_owned(), password: Secret::new("secret") };
    Repository::new(server.url(), client, Some(login), passes).unwrap()
}

fn entry(url: &str, digest: &str) -> IndexEntry {
    let urls = vec![url.into()];
    IndexEntry { version: "1.0.0".into(), urls, digest: digest.into(), ..IndexEntry::default() }
}

#[tokio::test]
async fn neither_index_nor_chart_is_larger_than_it_may_be() {
    let server = ChartServer::http().unwrap();
    server.put("/index.yaml", vec![b'#'; 1000]);
    server.put("/a.tgz", vec![0; 1000]);
    let charts = repository(&server, false);
    let mut file = Vec::new();
    assert_eq!(charts.index(&mut file, 1000, soon()).await.unwrap().size_bytes, 1000);
    let error = charts.index(&mut Vec::new(), 999, soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "index exceeds the maximum index file size of 999 bytes");
    let entry = entry("a.tgz", "");
    assert_eq!(charts.archive("a", &entry, 1000, soon()).await.unwrap().len(), 1000);
    let error = charts.archive("a", &entry, 999, soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "chart exceeds the maximum chart size of 999 bytes");
}

#[tokio::test]
async fn an_archive_is_the_one_that_the_index_speaks_of() {
    let server = ChartServer::http().unwrap();
    server.put("/a.tgz", "chart".as_bytes());
    let charts = repository(&server, false);
    let digest = "00";
    let error = charts.archive("a", &entry("a.tgz", digest), 100, soon()).await.unwrap_err();
    let FetchError::Digest { found, .. } = error else { panic!("{error}") };
    for digest in [found.clone(), format!("sha256:{found}"), found.to_uppercase()] {
        charts.archive("a", &entry("a.tgz", &digest), 100, soon()).await.unwrap();
    }
    server.put("/a.tgz", "cha".as_bytes());
    let error = charts.archive("a", &entry("a.tgz", &found), 100, soon()).await.unwrap_err();
    assert!(matches!(error, FetchError::Digest { .. }), "{error}");
}

#[tokio::test]
async fn a_login_is_for_the_host_of_the_repository() {
    let (index, archives) = (ChartServer::http().unwrap(), ChartServer::http().unwrap());
    for server in [&index, &archives] {
        server.put("/a.tgz", "chart".as_bytes());
        let (user, password) = ("me".to_owned(), "secret".to_owned());
        server.set_access(Wanted::Basic { user, password });
    }
    let elsewhere = entry(&format!("{}/a.tgz", archives.url()), "");
    let charts = repository(&index, false);
    charts.archive("a", &entry("a.tgz", ""), 100, soon()).await.unwrap();
    let error = charts.archive("a", &elsewhere, 100, soon()).await.unwrap_err();
    assert!(error.to_string().ends_with(" : 401 Unauthorized"), "{error}");
    let charts = repository(&index, true);
    charts.archive("a", &elsewhere, 100, soon()).await.unwrap();
}
