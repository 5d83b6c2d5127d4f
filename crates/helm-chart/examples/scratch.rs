use std::path::Path;
use file_tree::TreePath;
use helm_chart::*;
fn main() {
    for dir in std::env::args().skip(1) {
        let t0 = std::time::Instant::now();
        let tree = match disk::read(Path::new(&dir)) { Ok(t) => t, Err(e) => { println!("ERR {dir} read {e}"); continue } };
        let t1 = std::time::Instant::now();
        match directory::files(&tree, &TreePath::ROOT) {
            Err(e) => println!("ERR {dir} files {e}"),
            Ok(f) => {
                let mut names: Vec<_> = f.iter().map(|f| f.name.clone()).collect();
                names.sort();
                std::fs::write(format!("{dir}.names"), names.join("\n")).unwrap();
                match Chart::from_files(f) {
                    Err(e) => println!("ERR {dir} load {e}"),
                    Ok(mut c) => {
                        let user = serde_json::Map::new();
                        let t2 = std::time::Instant::now();
                        if let Err(e) = dependencies::process(&mut c, &user, Rules::Helm4) { println!("ERR {dir} deps {e}"); }
                        let t3 = std::time::Instant::now();
                        match values::coalesce(&c, &user, Rules::Helm4) { Err(e) => println!("ERR {dir} {e}"),
                            Ok(v) => if let Err(e) = schema::validate(&c, &v) { println!("ERR {dir} schema {e}"); } }
                        let t4 = std::time::Instant::now();
                        println!("TIME {dir} load {:?} deps {:?} rest {:?}", t2 - t1, t3 - t2, t4 - t3);
                        let _ = t0;
                    }
                }
            }
        }
    }
}
