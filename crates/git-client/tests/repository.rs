//! Against real git behind a real server.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::header,
    response::IntoResponse as _,
};
use git_client::{
    Access, Cause, Client, ClientCertificate, Connection, Credentials, EntryKind, Error, Limits,
    Login, Proxy, Reach, Reference, Remote, Secret, Session, Snapshot, Target,
};
use testbed::{Access as Allowed, Ca, Fault, GitServer};
use tokio::time::Instant;

const LONG: Duration = Duration::from_secs(30);

fn remote(url: &str, access: Access) -> Remote {
    Remote { url: url.to_owned(), access, deadline: Instant::now() + LONG }
}

fn branch(name: &str) -> Reference {
    Reference::Branch(name.to_owned())
}

/// Resolves and fetches in one go.
async fn get(remote: Remote, reference: &Reference) -> Result<(Target, Snapshot), Error> {
    let scratch = tempfile::tempdir().unwrap();
    let session = Session::open(&Client::new(Limits::default()), remote).await?;
    let target = session.resolve(reference, scratch.path()).await?;
    let snapshot = session.fetch(&target, scratch.path()).await?;
    Ok((target, snapshot))
}

async fn anonymous(url: &str, reference: &Reference) -> Result<(Target, Snapshot), Error> {
    get(remote(url, Access::default()), reference).await
}

fn basic(username: &str, password: &str) -> Access {
    let credentials =
        Credentials::Basic { username: username.to_owned(), password: Secret::new(password) };
    Access { credentials, ..Access::default() }
}

#[tokio::test]
async fn the_tip_of_a_branch_comes_alone_and_in_order() {
    let server = GitServer::http().unwrap();
    let repository = server.create("app").unwrap();
    let first = repository.commit("main", &[("old.txt", Some("old"))], "first").unwrap();
    let files = [("a.txt", Some("hello\n")), ("a/b.yaml", Some("b")), ("a-b", Some("c"))];
    repository.commit("main", &files, "second\n\nwith a body").unwrap();
    let head = repository.commit_symlink("main", "link", "a.txt").unwrap();

    let (target, snapshot) =
        anonymous(&server.repository_url("app"), &branch("main")).await.unwrap();
    assert_eq!(target.commit, head);
    assert_eq!(target.reference.as_deref(), Some("refs/heads/main"));
    let mut objects = snapshot.objects();
    let commit = objects.commit(&head).unwrap();
    assert_eq!(commit.message.trim(), "link");
    assert_eq!(commit.committer.email, "testbed@example.com");
    assert!(matches!(objects.commit(&first), Err(Error::CommitNotFound { .. })));
    let tree = objects.tree(&commit.tree).unwrap();
    let paths: Vec<&str> = tree.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["a", "a/b.yaml", "a-b", "a.txt", "link", "old.txt"]);
    let kinds: Vec<EntryKind> = tree.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds[0], EntryKind::Directory);
    assert_eq!(kinds[3], EntryKind::File { executable: false });
    assert_eq!(kinds[4], EntryKind::Symlink);
    assert_eq!(objects.blob(&tree[3].id).unwrap(), b"hello\n");
    assert_eq!(objects.blob(&tree[4].id).unwrap(), b"a.txt");
}

#[tokio::test]
async fn a_snapshot_leaves_nothing_behind() {
    let server = GitServer::http().unwrap();
    server.create("app").unwrap().commit("main", &[("a", Some("a"))], "one").unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let client = Client::new(Limits::default());
    let remote = remote(&server.repository_url("app"), Access::default());
    let session = Session::open(&client, remote).await.unwrap();
    let target = session.resolve(&branch("main"), scratch.path()).await.unwrap();
    let snapshot = session.fetch(&target, scratch.path()).await.unwrap();
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    drop(snapshot);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn every_kind_of_reference_leads_to_its_commit() {
    let server = GitServer::http().unwrap();
    let repository = server.create("app").unwrap();
    let first = repository.commit("main", &[("a", Some("1"))], "one").unwrap();
    repository.tag("v1.0.0", &first).unwrap();
    let second = repository.commit("main", &[("a", Some("2"))], "two").unwrap();
    let annotate = ["-c", "user.name=t", "-c", "user.email=t@example.com", "tag", "-a", "-m", "x"];
    repository.git(&[&annotate[..], &["v1.2.0", &second]].concat()).unwrap();
    let third = repository.commit("main", &[("a", Some("3"))], "three").unwrap();
    repository.tag("v2.0.0-rc.1", &third).unwrap();
    repository.tag("1.9", &third).unwrap();
    repository.git(&["update-ref", "refs/merge/7/head", &second]).unwrap();
    let url = server.repository_url("app");
    let pinned = |id: &str, branch: Option<&str>| Reference::Commit {
        id: id.to_owned(),
        branch: branch.map(str::to_owned),
    };
    for (reference, commit, name) in [
        (Reference::Tag("v1.0.0".into()), &first, Some("refs/tags/v1.0.0")),
        (Reference::Tag("v1.2.0".into()), &second, Some("refs/tags/v1.2.0")),
        (Reference::Semver(">=1.0.0".into()), &second, Some("refs/tags/v1.2.0")),
        (Reference::Semver(">=1.0.0-0".into()), &third, Some("refs/tags/v2.0.0-rc.1")),
        (Reference::Name("refs/merge/7/head".into()), &second, Some("refs/merge/7/head")),
        (Reference::Name("refs/tags/v1.2.0^{}".into()), &second, Some("refs/tags/v1.2.0^{}")),
        (pinned(&first, None), &first, None),
        (pinned(&second, Some("main")), &second, Some("refs/heads/main")),
    ] {
        let (target, snapshot) = anonymous(&url, &reference).await.unwrap();
        assert_eq!(&target.commit, commit, "{reference:?}");
        assert_eq!(target.reference.as_deref(), name, "{reference:?}");
        assert!(snapshot.objects().commit(commit).is_ok(), "{reference:?}");
    }
}

#[tokio::test]
async fn versions_that_are_equal_are_ordered_by_time() {
    let server = GitServer::http().unwrap();
    let repository = server.create("app").unwrap();
    let old = repository.commit("main", &[("a", Some("1"))], "one").unwrap();
    let new = repository.commit("main", &[("a", Some("2"))], "two").unwrap();
    repository.tag("v1.0.0+b", &old).unwrap();
    repository.tag("v1.0.0+a", &new).unwrap();
    let reference = Reference::Semver("1.0.0".to_owned());
    let (target, _) = anonymous(&server.repository_url("app"), &reference).await.unwrap();
    assert_eq!(target.commit, new);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let server = GitServer::http().unwrap();
    server.create("empty").unwrap();
    server.create("app").unwrap().commit("other", &[("a", Some("1"))], "one").unwrap();
    let url = server.repository_url("app");
    let unknown = "0123456789abcdef0123456789abcdef01234567";
    for (reference, message) in [
        (branch("main"), "couldn't find remote ref \"refs/heads/main\"".to_owned()),
        (Reference::Tag("v1".into()), "couldn't find remote ref \"refs/tags/v1\"".to_owned()),
        (Reference::Semver(">=9.0.0".into()), "no match found for semver: >=9.0.0".to_owned()),
        (
            Reference::Name("refs/heads/gone".into()),
            "unable to resolve ref 'refs/heads/gone' to a specific commit".to_owned(),
        ),
        (
            Reference::Name("/refs/heads/x".into()),
            "ref /refs/heads/x is invalid; Git refs cannot begin or end with a slash '/'"
                .to_owned(),
        ),
        (
            Reference::Commit { id: unknown.into(), branch: None },
            format!("unable to resolve commit object for '{unknown}': object not found"),
        ),
        (
            Reference::Commit { id: "nonsense".into(), branch: None },
            "unable to resolve commit object for 'nonsense': object not found".to_owned(),
        ),
    ] {
        let error = anonymous(&url, &reference).await.unwrap_err();
        assert_eq!(error.to_string(), message, "{reference:?}");
    }
    for reference in [branch("main"), Reference::Semver("*".into())] {
        let error = anonymous(&server.repository_url("empty"), &reference).await.unwrap_err();
        assert!(matches!(error, Error::EmptyRepository), "{error:?}");
    }
}

#[tokio::test]
async fn credentials_are_needed_where_they_are_asked_for() {
    let server = GitServer::http().unwrap();
    server.create("app").unwrap().commit("main", &[("a", Some("1"))], "one").unwrap();
    let url = server.repository_url("app");
    let allowed = Allowed::Basic { user: "lab".to_owned(), password: "s3cret".to_owned() };
    server.set_access("app", allowed);
    for access in [Access::default(), basic("lab", "wrong")] {
        let error = get(remote(&url, access), &branch("main")).await.unwrap_err();
        assert!(error.to_string().starts_with("authentication required: "), "{error}");
    }
    assert!(get(remote(&url, basic("lab", "s3cret")), &branch("main")).await.is_ok());
    let with_login = url.replace("http://", "http://lab:s3cret@");
    assert!(anonymous(&with_login, &branch("main")).await.is_ok());

    server.set_access("app", Allowed::Bearer("token".to_owned()));
    let credentials = Credentials::Bearer(Secret::new("token"));
    let access = Access { credentials, ..Access::default() };
    assert!(get(remote(&url, access), &branch("main")).await.is_ok());
}

#[tokio::test]
async fn a_certificate_is_checked_on_both_sides() {
    let (ca, other) = (Ca::new("ours").unwrap(), Ca::new("other").unwrap());
    let server = GitServer::https(&ca, Some(&ca)).unwrap();
    server.create("app").unwrap().commit("main", &[("a", Some("1"))], "one").unwrap();
    let url = server.repository_url("app");
    let own = ca.client("lab", &[]).unwrap();
    let client_certificate = || {
        let key_pem = Secret::new(own.key_pem.clone());
        Some(ClientCertificate { certificate_pem: own.certificate_pem.clone().into(), key_pem })
    };
    let through = |connection| Access { connection, ..Access::default() };
    let connection = |ca: &Ca| Connection {
        ca_pem: Some(ca.certificate_pem().into()),
        client_certificate: client_certificate(),
        ..Connection::default()
    };
    let trusting = |ca: &Ca| through(connection(ca));
    assert!(get(remote(&url, trusting(&ca)), &branch("main")).await.is_ok());
    for access in [Access::default(), trusting(&other)] {
        let error = get(remote(&url, access), &branch("main")).await.unwrap_err();
        let Error::Request { source: Cause::UnknownAuthority, .. } = error else {
            panic!("{error:?}");
        };
    }
    let anonymous = through(Connection { client_certificate: None, ..connection(&ca) });
    assert!(get(remote(&url, anonymous), &branch("main")).await.is_err());
    let nonsense = Some(b"nonsense".to_vec());
    let nonsense = through(Connection { ca_pem: nonsense, ..Connection::default() });
    let error = get(remote(&url, nonsense), &branch("main")).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to parse CA certificate");
}

#[tokio::test]
async fn a_server_that_refuses_is_quoted() {
    let server = GitServer::http().unwrap();
    server.create("app").unwrap();
    let url = server.repository_url("app");
    for (status, start) in [
        (401, "authentication required: fault\n".to_owned()),
        (403, "authorization failed: fault\n".to_owned()),
        (404, "repository not found: fault\n".to_owned()),
        (
            500,
            format!(
                "unexpected client error: unexpected requesting \
                 \"{url}/info/refs?service=git-upload-pack\" status code: 500: fault\n"
            ),
        ),
    ] {
        server.set_fault("app", Some(Fault::Status(status)));
        let error = anonymous(&url, &branch("main")).await.unwrap_err();
        assert_eq!(error.to_string(), start);
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_said_as_go_says_it() {
    let refused = "http://127.0.0.1:1/app.git";
    let error = anonymous(refused, &branch("main")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Get \"{refused}/info/refs?service=git-upload-pack\""));
    let Error::Request { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "dial tcp 127.0.0.1:1: connect: connection refused");

    let proxy = Some(Proxy { url: "http://127.0.0.1:1".to_owned(), login: None });
    let connection = Connection { proxy, ..Connection::default() };
    let access = Access { connection, ..Access::default() };
    let error = get(remote("http://127.0.0.1:2/app.git", access), &branch("main")).await;
    let Err(Error::Request { source, .. }) = error else { panic!("{error:?}") };
    let expected = "proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused";
    assert_eq!(source.to_string(), expected);
}

#[tokio::test]
async fn a_server_that_hangs_or_trickles_holds_nobody_for_long() {
    let server = GitServer::http().unwrap();
    let repository = server.create("app").unwrap();
    repository.commit("main", &[("a", Some(&"noise 1".repeat(9_000)))], "one").unwrap();
    let url = server.repository_url("app");
    for fault in [Fault::Hang, Fault::Slow { pause: Duration::from_secs(5) }] {
        server.set_fault("app", Some(fault.clone()));
        let deadline = Instant::now() + Duration::from_millis(300);
        let remote = Remote { url: url.clone(), access: Access::default(), deadline };
        let error = get(remote, &branch("main")).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Request { source: Cause::Deadline, .. } | Error::Read(Cause::Deadline)
            ),
            "{fault:?}: {error:?}"
        );
        assert!(Instant::now() < deadline + Duration::from_secs(2));
    }
}

#[tokio::test]
async fn a_pack_that_breaks_off_is_an_error_and_leaves_nothing() {
    let server = GitServer::http().unwrap();
    server.create("app").unwrap().commit("main", &[("a", Some("1"))], "one").unwrap();
    let url = server.repository_url("app");
    let scratch = tempfile::tempdir().unwrap();
    let client = Client::new(Limits::default());
    let session = Session::open(&client, remote(&url, Access::default())).await.unwrap();
    let target = session.resolve(&branch("main"), scratch.path()).await.unwrap();
    server.set_fault("app", Some(Fault::CloseMidPack { after: 60 }));
    let error = session.fetch(&target, scratch.path()).await.unwrap_err();
    assert!(matches!(error, Error::Read(_)), "{error:?}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn nothing_without_end_is_read() {
    let server = GitServer::http().unwrap();
    let repository = server.create("app").unwrap();
    let words: Vec<String> = (0..20_000_u64).map(|n| (n * 2_654_435_761).to_string()).collect();
    let noise = words.join(" ");
    repository.commit("main", &[("a", Some(&noise))], "one").unwrap();
    let url = server.repository_url("app");
    let get = async |limits: Limits| {
        let scratch = tempfile::tempdir().unwrap();
        let session = Session::open(&Client::new(limits), remote(&url, Access::default())).await?;
        let target = session.resolve(&branch("main"), scratch.path()).await?;
        session.fetch(&target, scratch.path()).await
    };
    assert!(get(Limits::default()).await.is_ok());
    let small_pack = Limits { pack_bytes: 10_000, ..Limits::default() };
    assert!(matches!(get(small_pack).await, Err(Error::TooLarge { .. })));
    let few_objects = Limits { objects: 2, ..Limits::default() };
    assert!(matches!(get(few_objects).await, Err(Error::TooLarge { .. })));
    let small_objects = Limits { object_bytes: 10_000, ..Limits::default() };
    assert!(matches!(get(small_objects).await, Err(Error::Objects { .. })));

    server.set_fault("app", Some(Fault::Endless));
    let few_refs = Limits { refs_bytes: 1 << 20, ..Limits::default() };
    assert!(matches!(get(few_refs).await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn a_confined_client_stays_where_it_may_be() {
    let (near, far) = (GitServer::http().unwrap(), GitServer::http().unwrap());
    for server in [&near, &far] {
        let repository = server.create("app").unwrap();
        repository.commit("main", &[("a", Some("a"))], "a").unwrap();
    }
    let open = async |also: &[&str], url: &str| {
        let also = also.iter().map(|one| (*one).to_owned()).collect();
        let client = Client::within(Reach::Public { also }, Limits::default());
        Session::open(&client, remote(url, Access::default())).await
    };
    let host = |server: &GitServer| server.url().trim_start_matches("http://").to_owned();
    let url = near.repository_url("app");
    let refused = open(&[&host(&far)], &url).await.unwrap_err();
    let said = "only https to addresses of the public internet";
    assert!(refused.to_string().contains(said), "{refused}");
    assert!(near.take_requests("app").is_empty());
    open(&[&host(&near)], &url).await.unwrap();

    // Not even to where it may be.
    near.set_fault("app", Some(Fault::Redirect(far.repository_url("app"))));
    let error = open(&[&host(&near), &host(&far)], &url).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
    assert!(far.take_requests("app").is_empty());
}

#[tokio::test]
async fn a_redirect_is_followed_but_not_by_the_login() {
    let (old, new) = (GitServer::http().unwrap(), GitServer::http().unwrap());
    old.create("app").unwrap();
    new.create("app").unwrap().commit("main", &[("a", Some("1"))], "one").unwrap();
    old.set_fault("app", Some(Fault::Redirect(new.repository_url("app"))));
    let url = old.repository_url("app");
    assert!(get(remote(&url, basic("lab", "s3cret")), &branch("main")).await.is_ok());
    let allowed = Allowed::Basic { user: "lab".to_owned(), password: "s3cret".to_owned() };
    new.set_access("app", allowed);
    let error = get(remote(&url, basic("lab", "s3cret")), &branch("main")).await.unwrap_err();
    assert!(matches!(error, Error::AuthenticationRequired { .. }), "{error:?}");

    old.set_fault("app", Some(Fault::Redirect(url.clone())));
    let error = anonymous(&url, &branch("main")).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error:?}");
}

/// A server in front of `upstream` that makes it speak the oldest protocol.
async fn old_protocol(upstream: &str) -> String {
    let client = reqwest::Client::new();
    let upstream = upstream.to_owned();
    let router = Router::new().fallback(async move |request: Request| {
        let (head, body) = request.into_parts();
        let mut headers = head.headers;
        headers.remove("git-protocol");
        headers.remove(header::HOST);
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let answer = client
            .request(head.method, format!("{upstream}{}", head.uri))
            .headers(headers)
            .body(body)
            .send()
            .await
            .unwrap();
        let kind = answer.headers()[header::CONTENT_TYPE].clone();
        let body: Bytes = answer.bytes().await.unwrap();
        ([(header::CONTENT_TYPE, kind)], Body::from(body)).into_response()
    });
    listen(router).await
}

#[tokio::test]
async fn a_server_of_the_oldest_protocol_is_understood() {
    let server = GitServer::http().unwrap();
    server.create("empty").unwrap();
    let repository = server.create("app").unwrap();
    let first = repository.commit("main", &[("a", Some("1"))], "one").unwrap();
    let second = repository.commit("main", &[("a", Some("2"))], "two").unwrap();
    let annotate = ["-c", "user.name=t", "-c", "user.email=t@example.com", "tag", "-a", "-m", "x"];
    repository.git(&[&annotate[..], &["v1.0.0", &second]].concat()).unwrap();
    repository.git(&["config", "uploadpack.allowAnySHA1InWant", "false"]).unwrap();
    let base = old_protocol(server.url()).await;
    let url = format!("{base}/app.git");

    let (target, snapshot) = anonymous(&url, &branch("main")).await.unwrap();
    assert_eq!(target.commit, second);
    assert!(snapshot.objects().commit(&first).is_err());
    let (target, _) = anonymous(&url, &Reference::Tag("v1.0.0".to_owned())).await.unwrap();
    assert_eq!(target.commit, second);
    // Here only what a reference points to is given out, so the history is searched.
    let pinned = Reference::Commit { id: first.clone(), branch: Some("main".to_owned()) };
    let (_, snapshot) = anonymous(&url, &pinned).await.unwrap();
    assert_eq!(snapshot.objects().commit(&first).unwrap().message.trim(), "one");
    let error = anonymous(&format!("{base}/empty.git"), &branch("main")).await.unwrap_err();
    assert!(matches!(error, Error::EmptyRepository), "{error:?}");
}

#[tokio::test]
async fn a_proxy_is_used_and_told_who_we_are() {
    let server = GitServer::http().unwrap();
    server.create("app").unwrap().commit("main", &[("a", Some("1"))], "one").unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let upstream = server.url().to_owned();
    let router = Router::new().fallback(async move |request: Request| {
        let (head, body) = request.into_parts();
        // A proxy is given the whole address, which only it can resolve here, and `me:pw`.
        assert_eq!(head.uri.host(), Some("git.invalid"));
        assert_eq!(head.headers[header::PROXY_AUTHORIZATION], "Basic bWU6cHc=");
        let url = head.uri.to_string().replace("http://git.invalid", &upstream);
        let mut headers = head.headers;
        headers.remove(header::HOST);
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let answer = client.request(head.method, url).headers(headers).body(body).send().await;
        let answer = answer.unwrap();
        let kind = answer.headers()[header::CONTENT_TYPE].clone();
        ([(header::CONTENT_TYPE, kind)], answer.bytes().await.unwrap()).into_response()
    });
    let url = listen(router).await;
    let login = Some(Login { username: "me".to_owned(), password: Secret::new("pw") });
    let connection = Connection { proxy: Some(Proxy { url, login }), ..Connection::default() };
    let access = Access { connection, ..Access::default() };
    let found = get(remote("http://git.invalid/app.git", access), &branch("main")).await;
    assert!(found.is_ok(), "{found:?}");
}

async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
