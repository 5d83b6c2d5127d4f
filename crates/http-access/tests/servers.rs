//! Servers that redirect, stall, break off and send too much.
#![expect(clippy::unwrap_used, reason = "the functions that tests share fail as tests do")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Duration,
};

use http_access::{
    Access, Authorization, Client, Login, ReadError, Request, Secret, SendError, Url,
};
use tokio::time::Instant;

/// A server that answers every request with what `answer` says to its head.
struct Server {
    url: Url,
    heads: mpsc::Receiver<String>,
}

impl Server {
    fn new(mut answer: impl FnMut(&str, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (sender, heads) = mpsc::channel();
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map(Result::unwrap);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let head = head.join("\n").to_ascii_lowercase();
                sender.send(head.clone()).ok();
                answer(&head, stream);
            }
        });
        Self { url, heads }
    }

    /// A server that answers with a text.
    fn saying(answer: String) -> Self {
        Self::new(move |_, mut stream| drop(stream.write_all(answer.as_bytes())))
    }

    fn redirecting(to: &str) -> Self {
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\n");
        Self::saying(head + "Content-Length: 0\r\nConnection: close\r\n\r\n")
    }

    /// The heads of the requests that came.
    fn heads(&self) -> Vec<String> {
        self.heads.try_iter().collect()
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine";

fn client() -> Client {
    Client::new(&Access::default()).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn login() -> Authorization {
    Authorization::Basic(Login { username: "me".to_owned(), password: Secret::new("canary") })
}

#[tokio::test]
async fn a_login_stays_with_the_server_it_is_for() {
    let stranger = Server::saying(FINE.to_owned());
    let mut foreign = stranger.url.clone();
    foreign.set_username("their").unwrap();
    let home = Server::redirecting(foreign.as_str());
    for login in [login(), Authorization::Bearer(Secret::new("canary"))] {
        let body = client().send(Request::get(&home.url, Some(&login)), soon()).await.unwrap();
        assert_eq!(body.bytes().await.unwrap(), "fine");
        assert!(home.heads().iter().all(|head| head.contains("authorization: ")));
        let heads = stranger.heads();
        assert!(!heads.is_empty() && !heads.iter().any(|it| it.contains("authorization")));
    }
    // The way back: the first server knows us.
    let mut asked = 0;
    let back = Server::new(move |_, mut stream| {
        asked += 1;
        let again = "HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\
                     Connection: close\r\n\r\n";
        stream.write_all(if asked == 1 { again } else { FINE }.as_bytes()).unwrap();
    });
    client().send(Request::get(&back.url, Some(&login())), soon()).await.unwrap();
    let heads = back.heads();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|head| head.contains("authorization: basic ")));
}

#[tokio::test]
async fn not_every_redirect_is_followed() {
    let forever = Server::redirecting("/again");
    let error = client().send(Request::get(&forever.url, None), soon()).await.unwrap_err();
    assert!(matches!(error, SendError::Redirect { why: "there are too many of them", .. }));
    assert_eq!(forever.heads().len(), 6);
    for elsewhere in ["file:///etc/passwd", "gopher://127.0.0.1/"] {
        let server = Server::redirecting(elsewhere);
        let error = client().send(Request::get(&server.url, None), soon()).await.unwrap_err();
        assert!(matches!(error, SendError::Scheme { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let half = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_owned());
    let body = client().send(Request::get(&half.url, None), soon()).await.unwrap();
    assert!(matches!(body.bytes().await, Err(ReadError::Transport(_))));
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    let half = Server::saying(chunk.to_owned());
    let body = client().send(Request::get(&half.url, None), soon()).await.unwrap();
    assert!(matches!(body.bytes().await, Err(ReadError::Transport(_))));
    let nothing = Server::saying(String::new());
    let error = client().send(Request::get(&nothing.url, None), soon()).await.unwrap_err();
    assert!(matches!(error, SendError::Request { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_stalls_does_not_outlast_the_deadline() {
    let mut held = Vec::new();
    let mute = Server::new(move |_, stream| held.push(stream));
    let deadline = Instant::now() + Duration::from_millis(300);
    let error = client().send(Request::get(&mute.url, None), deadline).await.unwrap_err();
    let SendError::Request { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.to_string(), "context deadline exceeded");

    // One that sends a byte now and then is not silent, but late.
    let slow = Server::new(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").unwrap();
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let deadline = Instant::now() + Duration::from_millis(500);
    let body = client().send(Request::get(&slow.url, None), deadline).await.unwrap();
    let error = body.bytes().await.unwrap_err();
    assert_eq!(error.to_string(), "context deadline exceeded");
}

#[tokio::test]
async fn more_than_the_cap_is_not_read() {
    let endless = Server::new(|_, mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
        while stream.write_all(&[0; 4096]).is_ok() {}
    });
    let body = client().send(Request::get(&endless.url, None), soon()).await.unwrap();
    let error = body.limited(100_000).bytes().await.unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { limit_bytes: 100_000 }));
}

#[tokio::test]
async fn nobody_there_is_told_as_by_go() {
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://me:canary@{at}/x?token=canary")).unwrap();
    let error = client().send(Request::get(&url, None), soon()).await.unwrap_err();
    let SendError::Request { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.to_string(), format!("dial tcp {at}: connect: connection refused"));
    assert_eq!(error.to_string(), format!("Get \"http://{at}/x?…\""));
}
