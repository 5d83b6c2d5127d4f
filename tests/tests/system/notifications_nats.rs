//! Alerts as a real NATS server passes them on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use crate::incidents::{Notified, unheard, words};
use crate::notifications::{notifier, secret};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use testbed::{Process, eventually, free_port};
use testbed_programs::{Assets, Program};

const PATIENCE: Duration = Duration::from_mins(1);
const FAILED: &str = "NotificationDispatchFailed";
/// A key that NATS's documentation has made known to everybody.
const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const KEY: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

/// A server that lets in who has the key, and one who listens.
fn nats_server(port: u16, dir: &std::path::Path) -> Process {
    let users = format!("users: [{{nkey: {KEY}}}, {{user: reader, password: reader}}]");
    let config = format!("listen: \"127.0.0.1:{port}\"\nauthorization {{ {users} }}\n");
    std::fs::write(dir.join("nats.conf"), config).unwrap();
    let mut command = Command::new(Assets::from_env().path(Program::NatsServer).unwrap());
    command.current_dir(dir).args(["--config", "nats.conf"]);
    Process::start("nats-server", &command, dir).unwrap()
}

/// Subjects and contents of what is published from now on.
fn listen(port: u16) -> Result<mpsc::Receiver<(String, Value)>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    let login = json!({"user": "reader", "pass": "reader", "verbose": false});
    let begin = format!("CONNECT {login}\r\nSUB flux.> 1\r\nPING\r\n");
    (&stream).write_all(begin.as_bytes())?;
    let mut stream = BufReader::new(stream);
    let (greeting, answer) = (line(&mut stream)?, line(&mut stream)?);
    ensure!(greeting.starts_with("INFO ") && answer == "PONG", "{greeting} {answer}");
    let (sender, messages) = mpsc::channel();
    // It ends with the server.
    std::thread::spawn(move || {
        while let Ok(message) = message(&mut stream) {
            sender.send(message).ok();
        }
    });
    Ok(messages)
}

fn message(stream: &mut BufReader<TcpStream>) -> Result<(String, Value)> {
    let mut line = line(stream)?;
    // The server asks once whether we are there, and is patient.
    while line == "PING" {
        line = self::line(stream)?;
    }
    let words: Vec<&str> = line.split(' ').collect();
    let ["MSG", subject, "1", length] = words.as_slice() else { bail!("{line} is no message") };
    let mut content = vec![0; length.parse::<usize>()? + 2];
    stream.read_exact(&mut content)?;
    let content = content.strip_suffix(b"\r\n").context("it does not end")?;
    Ok(((*subject).to_owned(), serde_json::from_slice(content)?))
}

fn line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[tokio::test]
async fn a_real_nats_server_passes_events_on() {
    let notified = Notified::new("nats").await;
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port().unwrap());
    let _server = nats_server(port, dir.path());
    let messages = eventually(PATIENCE, || async { listen(port) }).await.unwrap();
    let spec = json!({
        "providerRef": {"name": "bus"}, "eventSources": [{"kind": "Kustomization", "name": "*"}],
    });
    let provider = |key: &str| {
        notifier(
            "Provider",
            "bus",
            &json!({
                "type": "nats", "address": format!("nats://127.0.0.1:{port}"), "channel": "flux.events",
                "secretRef": {"name": key},
            }),
        )
    };
    let objects = [
        secret("right", &json!({"nkey": SEED})),
        secret("wrong", &json!({"nkey": "SUcanary"})),
        provider("right"),
        notifier("Alert", "bus", &spec),
    ];
    notified.scene.apply_all(&objects).unwrap();

    // Until the alert is known, nobody is told.
    let heard = eventually(PATIENCE, || async {
        notified.tell("Kustomization", "app", "info", &words(unheard())).await?;
        Ok(messages.recv_timeout(Duration::from_millis(100))?)
    });
    let (subject, event) = heard.await.unwrap();
    assert_eq!(subject, "flux.events");
    assert_eq!(event["reason"], "ReconciliationSucceeded");
    assert_eq!(event["involvedObject"]["name"], "app");
    assert_eq!(notified.remarks("bus", FAILED).await.unwrap().len(), 0);

    notified.scene.apply_all(&[provider("wrong")]).unwrap();
    let failed = eventually(PATIENCE, || async {
        notified.tell("Kustomization", "app", "info", &words(unheard())).await?;
        notified.remarks("bus", FAILED).await?.pop().context("nothing fails")
    });
    let failed = failed.await.unwrap();
    let wanted = "error publishing event to subject flux.events: error parsing nkey seed";
    assert!(failed.contains(wanted) && !failed.contains("canary"), "{failed}");
}
