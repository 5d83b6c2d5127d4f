//! Chart folders.

use file_tree::{Entry, FileTree, PathError, TreePath};

use crate::archive::{MAX_FILE_BYTES, without_mark};
use crate::chart::{Chart, ChartFile};
use crate::ignore::Rules;
use crate::load::LoadError;

/// Loads the chart whose folder is `folder`.
///
/// # Errors
/// If a file is larger than 5 MiB, `.helmignore` is malformed, or the files are no chart.
pub fn load(tree: &FileTree, folder: &TreePath) -> Result<Chart, LoadError> {
    Chart::from_files_of_any_format(files(tree, folder)?)
}

/// The files of a chart's folder that Helm would take, in its order: what `.helmignore` names is
/// left out.
///
/// # Errors
/// If a file is larger than 5 MiB or `.helmignore` is malformed.
pub fn files(tree: &FileTree, folder: &TreePath) -> Result<Vec<ChartFile>, LoadError> {
    let ignore_file = below(folder, ".helmignore").ok().and_then(|path| tree.file(&path));
    let rules = Rules::parse(ignore_file.map(|file| &file.bytes[..]))?;
    let mut files = Vec::new();
    // Folders yet to be listed, the next one last: a path nests as deep as it likes.
    let mut pending = vec![tree.children(folder)];
    let mut prefix: Vec<&str> = Vec::new();
    while let Some(children) = pending.last_mut() {
        let Some((name, entry)) = children.next() else {
            pending.pop();
            prefix.pop();
            continue;
        };
        let path = prefix.iter().copied().chain([name.as_str()]).collect::<Vec<_>>().join("/");
        match entry {
            Entry::Directory => {
                if !rules.ignore(&path, true)
                    && let Ok(inner) = below(folder, &path)
                {
                    pending.push(tree.children(&inner));
                    prefix.push(name);
                }
            }
            Entry::File(_) if rules.ignore(&path, false) => {}
            Entry::File(file) if file.bytes.len() as u64 > MAX_FILE_BYTES => {
                return Err(LoadError::FileTooLarge { name: name.clone(), limit: MAX_FILE_BYTES });
            }
            Entry::File(file) => {
                files.push(ChartFile { name: path, bytes: without_mark(file.bytes.clone()) });
            }
        }
    }
    Ok(files)
}

fn below(folder: &TreePath, path: &str) -> Result<TreePath, PathError> {
    folder.join(path)
}
