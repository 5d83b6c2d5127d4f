//! From the store through the server to the shelf, over the loopback.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use artifact::{
    Algorithm, Digest, Fetcher, Shelf, Store, fetch, open, pack, pack::Packer, serve, shelf,
    store::ArtifactPath,
};
use axum::{Router, extract::Request, http::StatusCode, middleware, response::IntoResponse as _};
use file_tree::TreePath;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A store with one artifact, and its server.
struct Bed {
    root: tempfile::TempDir,
    store: Arc<Store>,
    digest: Digest,
}

const ARTIFACT: &str = "gitrepository/apps/web/abc.tar.gz";

fn bed() -> Bed {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), Algorithm::Sha256).unwrap();
    let path = ArtifactPath::parse(ARTIFACT).unwrap();
    let stored = store.write(&path, |out| {
        let mut packer = Packer::new(out, pack::Limits::default())?;
        packer.file("a.yaml", false, b"a: 1\n")?;
        packer.finish()?;
        Ok(())
    });
    let digest = stored.unwrap().digest;
    Bed { root, store: Arc::new(store), digest }
}

async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn fetcher(retries: u32) -> Fetcher {
    let wait = Duration::from_millis(1);
    let settings =
        fetch::Settings { retries, min_wait: wait, max_wait: wait, ..Default::default() };
    Fetcher::new(settings).unwrap()
}

/// Sends a request as it is, so that no client tidies the path, and returns the status line.
async fn raw(base: &str, request_line: &str) -> String {
    let address = base.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("{request_line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_artifact_travels() {
    let bed = bed();
    let base = listen(serve::router(bed.store)).await;
    let shelf = Shelf::new(fetcher(0), open::Limits::default(), 1 << 20);
    let tree = shelf.tree(&format!("{base}/{ARTIFACT}"), &bed.digest).await.unwrap();
    assert_eq!(tree.file(&TreePath::parse("a.yaml").unwrap()).unwrap().bytes, "a: 1\n");
}

#[tokio::test]
async fn only_whole_artifacts_are_served() {
    let bed = bed();
    let root = bed.store.root().to_owned();
    let secret = bed.root.path().with_extension("secret");
    fs::write(&secret, "secret").unwrap();
    let object = root.join("gitrepository/apps/web");
    std::os::unix::fs::symlink(&secret, object.join("link.tar.gz")).unwrap();
    std::os::unix::fs::symlink(&root, root.join("loop")).unwrap();
    fs::write(object.join(".unfinished-1"), "half").unwrap();
    let base = listen(serve::router(bed.store)).await;

    assert_eq!(raw(&base, &format!("GET /{ARTIFACT}")).await, "HTTP/1.1 200 OK");
    assert_eq!(raw(&base, &format!("HEAD /{ARTIFACT}")).await, "HTTP/1.1 200 OK");
    assert_eq!(raw(&base, "GET /").await, "HTTP/1.1 200 OK");
    let upward = format!("/gitrepository/apps/..%2f..%2f..%2f{}", secret.display());
    for path in [
        "/gitrepository",
        "/gitrepository/",
        "/gitrepository/apps/web",
        "/gitrepository/apps/web/",
        "/gitrepository/apps/web/none.tar.gz",
        "/gitrepository/apps/web/link.tar.gz",
        "/gitrepository/apps/web/.unfinished-1",
        "/loop/gitrepository/apps/web",
        "/gitrepository/apps/../../etc/passwd",
        "//etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/gitrepository/apps/web/%00",
        "/gitrepository/apps/web/abc.tar.gz/",
        upward.as_str(),
    ] {
        assert_eq!(raw(&base, &format!("GET {path}")).await, "HTTP/1.1 404 Not Found", "{path}");
    }
    for verb in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = raw(&base, &format!("{verb} /{ARTIFACT}")).await;
        assert_eq!(answer, "HTTP/1.1 405 Method Not Allowed", "{verb}");
    }
    fs::remove_file(secret).unwrap();
}

#[tokio::test]
async fn a_missing_artifact_and_a_wrong_one_are_told_apart() {
    let bed = bed();
    let base = listen(serve::router(bed.store)).await;
    let fetcher = fetcher(3);
    let missing = fetcher.archive(&format!("{base}/a/b/c/d"), &bed.digest).await;
    assert!(matches!(missing, Err(fetch::Error::NotFound)), "{missing:?}");
    let advertised = Algorithm::Sha512.digest(b"other");
    let wrong = fetcher.archive(&format!("{base}/{ARTIFACT}"), &advertised).await.unwrap_err();
    assert!(
        wrong.to_string().starts_with("failed to verify archive: computed digest doesn't match"),
        "{wrong}"
    );
}

#[tokio::test]
async fn an_artifact_that_is_too_large_is_not_taken() {
    let bed = bed();
    let base = listen(serve::router(bed.store)).await;
    let settings = fetch::Settings { max_bytes: 20, ..Default::default() };
    let fetcher = Fetcher::new(settings).unwrap();
    let refused = fetcher.archive(&format!("{base}/{ARTIFACT}"), &bed.digest).await;
    assert!(matches!(refused, Err(fetch::Error::TooLarge { limit_bytes: 20 })), "{refused:?}");
}

/// Answers 503 to the first `failures` requests and counts all of them.
fn failing_first(router: Router, failures: usize) -> (Router, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    let layer = middleware::from_fn(move |request: Request, next: middleware::Next| {
        let seen = counter.fetch_add(1, Ordering::SeqCst);
        async move {
            if seen < failures {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            next.run(request).await
        }
    });
    (router.layer(layer), requests)
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_but_not_for_ever() {
    let bed = bed();
    let (router, requests) = failing_first(serve::router(bed.store), 3);
    let url = format!("{}/{ARTIFACT}", listen(router).await);
    let gave_up = fetcher(1).archive(&url, &bed.digest).await.unwrap_err();
    assert_eq!(
        gave_up.to_string(),
        format!("failed to download archive: GET {url} giving up after 2 attempt(s)")
    );
    assert!(fetcher(5).archive(&url, &bed.digest).await.is_ok());
    assert_eq!(requests.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn nobody_at_the_address_is_said_with_its_cause() {
    let digest = Algorithm::Sha256.digest(b"");
    let refused = fetcher(0).archive("http://127.0.0.1:1/a/b/c/d", &digest).await;
    assert!(matches!(refused, Err(fetch::Error::GaveUp { source: Some(_), .. })), "{refused:?}");
}

#[tokio::test]
async fn many_who_want_one_revision_cause_one_download() {
    let bed = bed();
    let (router, requests) = failing_first(serve::router(bed.store), 0);
    let url = format!("{}/{ARTIFACT}", listen(router).await);
    let shelf = Shelf::new(fetcher(0), open::Limits::default(), 1 << 20);
    let waiters = (0..50).map(|_| shelf.tree(&url, &bed.digest));
    let trees: Vec<_> = futures::future::join_all(waiters).await;
    let first = trees[0].as_ref().unwrap();
    assert!(trees.iter().all(|tree| Arc::ptr_eq(tree.as_ref().unwrap(), first)));
    drop(shelf.tree(&url, &bed.digest).await.unwrap());
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_room_a_tree_lives_as_long_as_it_is_used() {
    let bed = bed();
    let (router, requests) = failing_first(serve::router(bed.store), 0);
    let url = format!("{}/{ARTIFACT}", listen(router).await);
    let shelf = Shelf::new(fetcher(0), open::Limits::default(), 0);
    let used = shelf.tree(&url, &bed.digest).await.unwrap();
    let again = shelf.tree(&url, &bed.digest).await.unwrap();
    assert!(Arc::ptr_eq(&used, &again));
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    drop((used, again));
    assert!(shelf.tree(&url, &bed.digest).await.is_ok());
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_error_is_told_to_all_and_not_kept() {
    let bed = bed();
    let (router, requests) = failing_first(serve::router(bed.store), 1);
    let url = format!("{}/{ARTIFACT}", listen(router).await);
    let shelf = Shelf::new(fetcher(0), open::Limits::default(), 1 << 20);
    let (one, two) = tokio::join!(shelf.tree(&url, &bed.digest), shelf.tree(&url, &bed.digest));
    assert!(matches!(one, Err(shelf::Error::Fetch(_))), "{one:?}");
    assert!(two.is_err());
    assert!(shelf.tree(&url, &bed.digest).await.is_ok());
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}
