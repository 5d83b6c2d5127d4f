//! A proxy.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A proxy that knows one server, whatever it is called.
pub(crate) struct Proxy {
    pub(crate) url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Lets in who says `authorization`, and everybody if there is none.
    pub(crate) fn new(server: SocketAddr, authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&heads);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let lines = reader.by_ref().lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let is_in = authorization.is_none_or(|wanted| {
                    let wanted = format!("Proxy-Authorization: {wanted}");
                    head.iter().any(|line| line.eq_ignore_ascii_case(&wanted))
                });
                recorded.lock().unwrap().push(head.join("\n"));
                if is_in {
                    pass(&head, reader, stream, server);
                } else {
                    let answer =
                        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n";
                    (&stream)
                        .write_all(format!("{answer}Connection: close\r\n\r\n").as_bytes())
                        .ok();
                }
            }
        });
        Self { url, heads }
    }

    /// The heads of the requests that came, and none of them again.
    pub(crate) fn heads(&self) -> Vec<String> {
        std::mem::take(&mut self.heads.lock().unwrap())
    }
}

/// Lets client and server talk.
fn pass(head: &[String], mut client: BufReader<TcpStream>, answers: TcpStream, server: SocketAddr) {
    let mut to_server = TcpStream::connect(server).unwrap();
    if head[0].starts_with("CONNECT ") {
        (&answers).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
    } else {
        let is_ours = |line: &&String| !line.to_ascii_lowercase().starts_with("proxy-");
        let head: Vec<&str> = head.iter().filter(is_ours).map(String::as_str).collect();
        to_server
            .write_all((head.join("\r\n") + "\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
    }
    let mut from_server = to_server.try_clone().unwrap();
    std::thread::spawn(move || {
        std::io::copy(&mut from_server, &mut &answers).ok();
        answers.shutdown(Shutdown::Write).ok();
    });
    std::thread::spawn(move || {
        std::io::copy(&mut client, &mut to_server).ok();
        to_server.shutdown(Shutdown::Write).ok();
    });
}
