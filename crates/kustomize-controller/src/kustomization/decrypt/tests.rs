//! Trees and objects with files that the real sops wrote.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use file_tree::{File, FileTree, TreePath};
use futures::future::BoxFuture;
use key_services::{
    Ambient, Bearers, Client, Credentials, Endpoints, Identity, IdentityError, Limits, Secret,
    Services,
};
use kustomize_build::generate::{self, Overlay};
use manifest::Object;
use sops_decrypt::{Integrity, Keys};

use super::{Decryptor, SourceError};

/// Nobody: no service is asked here.
struct Nobody;

impl Identity for Nobody {
    fn token<'a>(&'a self, _audience: &'a str) -> BoxFuture<'a, Result<Secret, IdentityError>> {
        Box::pin(async { Err(IdentityError::None { service: "tests" }) })
    }

    fn aws_role(&self) -> BoxFuture<'_, Result<String, IdentityError>> {
        Box::pin(async { Err(IdentityError::None { service: "tests" }) })
    }

    fn azure_client(&self) -> BoxFuture<'_, Result<(String, String), IdentityError>> {
        Box::pin(async { Err(IdentityError::None { service: "tests" }) })
    }

    fn google_metadata(&self) -> bool {
        false
    }

    fn vault_admits<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), IdentityError>> {
        unreachable!("no key is in Vault")
    }

    fn vault_login<'a>(
        &'a self,
        _address: &'a str,
    ) -> BoxFuture<'a, Result<String, IdentityError>> {
        Box::pin(async { Err(IdentityError::None { service: "tests" }) })
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = "../sops-decrypt/tests/tables/sops";
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)).unwrap()
}

fn decryptor(integrity: Integrity) -> Decryptor {
    let mut keys = Keys::default();
    keys.import_age(&fixture("keys/age.key")).unwrap();
    let limits = Limits { tokens: 0, longest: Duration::ZERO };
    let (client, endpoints) = (Client::new().unwrap(), Endpoints::default());
    let bearers = Bearers::new(client, endpoints, Ambient::default(), limits);
    let services = Services::new(
        Arc::new(bearers),
        Credentials::default(),
        Arc::new(Nobody),
        tokio::runtime::Handle::current(),
    );
    Decryptor::new(keys, services, integrity, String::new())
}

fn tree(files: &[(&str, &[u8])]) -> Arc<FileTree> {
    let mut builder = FileTree::builder();
    for (path, bytes) in files {
        let file = File { bytes: bytes.to_vec().into(), executable: false };
        builder.file(&TreePath::parse(path).unwrap(), file).unwrap();
    }
    Arc::new(builder.build())
}

fn decrypted(
    integrity: Integrity,
    tree: &Arc<FileTree>,
) -> Result<(Arc<FileTree>, Option<SourceError>), SourceError> {
    let root = generate::kustomization(tree, &TreePath::ROOT, &Overlay::default(), "/t").unwrap();
    let sources = decryptor(integrity).sources(tree, &root)?;
    Ok((sources.tree, sources.doubt))
}

fn text<'a>(tree: &'a FileTree, path: &str) -> &'a [u8] {
    &tree.file(&TreePath::parse(path).unwrap()).unwrap().bytes
}

#[tokio::test]
async fn what_generators_and_patches_read_is_decrypted_wherever_it_is_named() {
    let (json, env, patch) = (
        fixture("encrypted/plain.json.enc"),
        fixture("encrypted/app.env.enc"),
        fixture("encrypted/secret-full.yaml.enc"),
    );
    let tree = tree(&[
        ("kustomization.yaml", b"resources: [base, missing.yaml, https://x/y]\ncomponents: [part]\n"),
        ("base/kustomization.yml", b"resources: [..]\nsecretGenerator: [{files: [c.json=../f]}]\n"),
        ("f", &json),
        ("part/Kustomization", b"kind: Component\npatches: [{path: p.yaml}, {path: 'https://x/y'}]\nsecretGenerator: [{envs: [a.env]}]\n"),
        ("part/p.yaml", &patch),
        ("part/a.env", &env),
        ("untouched.env", &env),
    ]);
    let (after, doubt) = decrypted(Integrity::Verified, &tree).unwrap();
    assert!(doubt.is_none());
    assert_eq!(text(&after, "f"), fixture("decrypted/plain.json"));
    assert_eq!(text(&after, "part/a.env"), fixture("decrypted/app.env"));
    assert_eq!(text(&after, "part/p.yaml"), fixture("decrypted/secret-full.yaml"));
    assert_eq!(text(&after, "untouched.env"), env);
    assert_eq!(text(&tree, "f"), json, "others share the tree");
}

#[tokio::test]
async fn what_files_said_is_known_so_that_no_message_says_it() {
    let env = fixture("encrypted/app.env.enc");
    let tree = tree(&[
        ("kustomization.yaml", b"secretGenerator: [{name: a, envs: [a.env]}]\n"),
        ("a.env", &env),
    ]);
    let root = generate::kustomization(&tree, &TreePath::ROOT, &Overlay::default(), "/t").unwrap();
    let secrets = decryptor(Integrity::Verified).sources(&tree, &root).unwrap().secrets;
    let plain = String::from_utf8(fixture("decrypted/app.env")).unwrap();
    let values = plain.lines().filter_map(|line| line.split_once('=')).map(|(_, value)| value);
    let long: Vec<_> = values.filter(|value| value.len() >= 6 && !value.contains('"')).collect();
    assert!(!long.is_empty());
    for value in long {
        assert!(secrets.iter().any(|secret| secret == value.trim()), "{value}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_decrypted_are_errors() {
    let kustomization = b"secretGenerator: [{files: [f.yaml]}]\n".as_slice();
    let large = vec![b'a'; (5 << 20) + 1];
    let tampered = fixture("tampered/secret-full.yaml.no-mac");
    let stranger = fixture("matrix/encrypted/simple-yaml.yaml");
    let cases: [(Option<&[u8]>, &str); 4] = [
        (None, "lstat f.yaml: no such file or directory"),
        (Some(&large), "cannot decrypt file with size (5242881 bytes) exceeding limit (5242880)"),
        (Some(&stranger), "cannot get sops data key"),
        (Some(&tampered), ""),
    ];
    for (file, wanted) in cases {
        let mut files = vec![("kustomization.yaml", kustomization)];
        files.extend(file.map(|file| ("f.yaml", file)));
        let outcome = decrypted(Integrity::Verified, &tree(&files));
        if wanted.is_empty() {
            // Without its mark a file is plain, to Flux and here.
            assert!(outcome.is_ok());
        } else {
            assert_eq!(outcome.unwrap_err().to_string(), wanted);
        }
    }
}

#[tokio::test]
async fn manifests_must_be_as_sops_wrote_them() {
    let whole = fixture("encrypted/secret-regex.yaml.enc");
    let edited = String::from_utf8(whole.clone()).unwrap().replace("kind: Secret", "kind: Sekret");
    let joined = [whole.as_slice(), b"---\n", &fixture("encrypted/secret-full.yaml.enc")].concat();
    let opted_out = edited.replacen(
        "metadata:\n",
        "metadata:\n    annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}\n",
        1,
    );
    let cases: [(&str, &[u8], bool); 5] = [
        ("whole", &whole, true),
        ("several documents", &fixture("encrypted/multidoc.yaml.enc"), true),
        ("several files in one", &joined, true),
        ("edited", edited.as_bytes(), false),
        ("opted out", opted_out.as_bytes(), true),
    ];
    for (what, file, is_fine) in cases {
        let tree = tree(&[("kustomization.yaml", b"resources: [s.yaml]\n"), ("s.yaml", file)]);
        let (after, doubt) = decrypted(Integrity::Verified, &tree).unwrap();
        assert_eq!(doubt.is_none(), is_fine, "{what}: {doubt:?}");
        assert_eq!(text(&after, "s.yaml"), file, "manifests are decrypted after the build");
        assert!(decrypted(Integrity::Ignored, &tree).unwrap().1.is_none(), "{what}");
    }
}

fn object(file: &[u8]) -> Object {
    Object::new(yaml::parse(file).unwrap()).unwrap()
}

#[tokio::test]
async fn objects_are_decrypted_though_building_changed_them() {
    let mut secret = object(&fixture("encrypted/secret-regex.yaml.enc"));
    secret.set_namespace("elsewhere");
    secret.set_label("team", "a");
    let secrets = decryptor(Integrity::Verified).object(&mut secret).unwrap();
    let plain = object(&fixture("decrypted/secret-regex.yaml"));
    assert_eq!(secret.fields().get("stringData"), plain.fields().get("stringData"));
    assert_eq!((secret.namespace(), secret.fields().get("sops")), ("elsewhere", None));
    assert!(!secrets.is_empty());

    let mut left_alone = object(&fixture("encrypted/secret-regex.yaml.enc"));
    left_alone.set_annotation("kustomize.toolkit.fluxcd.io/decrypt", "DISABLED");
    decryptor(Integrity::Verified).object(&mut left_alone).unwrap();
    assert!(left_alone.fields().contains_key("sops"));
}

#[tokio::test]
async fn metadata_without_a_mac_is_refused_unless_macs_do_not_matter() {
    let file = fixture("encrypted/secret-regex.yaml.enc");
    let mut secret = object(&file);
    if let Some(sops) = secret.fields_mut().get_mut("sops").and_then(|it| it.as_object_mut()) {
        sops.remove("mac");
    }
    assert!(decryptor(Integrity::Verified).object(&mut secret.clone()).is_err());
    assert!(decryptor(Integrity::Ignored).object(&mut secret).is_ok());
}
