//! Somebody who listens to what is published.

use std::time::Duration;

use http_access::Access;
use serde_json::Value;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::real_server::RealServer;

const PATIENCE: Duration = Duration::from_secs(20);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(crate) struct Subscriber {
    stream: BufReader<Box<dyn Stream>>,
}

impl Subscriber {
    /// Listens to what is published at a server that lets everybody in.
    pub(crate) async fn anybody(server: &RealServer) -> Self {
        Self::new(server, &Access::default(), |_| serde_json::json!({})).await
    }

    /// Listens as who has this login, which may sign a nonce.
    pub(crate) async fn new(
        server: &RealServer,
        access: &Access,
        login: impl FnOnce(&str) -> Value,
    ) -> Self {
        let stream = TcpStream::connect(&server.address).await.unwrap();
        let mut this = Self { stream: BufReader::new(Box::new(stream)) };
        let info = this.line().await;
        let info: Value = serde_json::from_str(info.strip_prefix("INFO ").unwrap()).unwrap();
        if info["tls_required"] == true {
            let connector =
                tokio_rustls::TlsConnector::from(std::sync::Arc::new(access.tls().unwrap()));
            let host = "127.0.0.1".try_into().unwrap();
            let stream = connector.connect(host, this.stream.into_inner()).await.unwrap();
            this = Self { stream: BufReader::new(Box::new(stream)) };
        }
        let mut connect = serde_json::json!({"verbose": false, "pedantic": false});
        let login = login(info["nonce"].as_str().unwrap_or_default());
        connect.as_object_mut().unwrap().extend(login.as_object().unwrap().clone());
        let begin = format!("CONNECT {connect}\r\nSUB flux.> 1\r\nPING\r\n");
        this.stream.write_all(begin.as_bytes()).await.unwrap();
        assert_eq!(this.line().await, "PONG");
        this
    }

    /// Subject and content of the next message.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        loop {
            let line = self.line().await;
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["MSG", subject, "1", length] => {
                    let mut content = vec![0; length.parse::<usize>().unwrap() + 2];
                    let read = self.stream.read_exact(&mut content);
                    timeout(PATIENCE, read).await.unwrap().unwrap();
                    let content = content.strip_suffix(b"\r\n").unwrap();
                    return ((*subject).to_owned(), serde_json::from_slice(content).unwrap());
                }
                ["INFO" | "PING", ..] => {}
                _ => panic!("{line}"),
            }
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(PATIENCE, self.stream.read_line(&mut line)).await.unwrap().unwrap();
        line.trim_end().to_owned()
    }
}
