//! A real NATS server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use testbed_programs::{Assets, Program};

/// A server of its own for a test; it ends with it.
pub(crate) struct RealServer {
    process: Child,
    /// Host and port.
    pub(crate) address: String,
    _dir: tempfile::TempDir,
}

impl RealServer {
    /// Starts a server with these lines in its configuration.
    pub(crate) fn start(configuration: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("nats.conf");
        std::fs::write(&file, format!("listen: \"127.0.0.1:-1\"\n{configuration}")).unwrap();
        let mut process = Command::new(Assets::from_env().path(Program::NatsServer).unwrap())
            .arg("--config")
            .arg(&file)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        let (sender, lines) = mpsc::channel();
        // It reads on, so that the server never waits for us.
        std::thread::spawn(move || {
            log.map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let mut said = String::new();
        let address = loop {
            let Ok(line) = lines.recv_timeout(Duration::from_secs(20)) else {
                panic!("nats-server does not listen: {said}");
            };
            if let Some((_, address)) = line.split_once("Listening for client connections on ") {
                break address.to_owned();
            }
            said += &(line + "\n");
        };
        Self { process, address, _dir: dir }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
