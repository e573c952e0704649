//! What a host is to be, said in no tool's language. Workloads make it; each tool writes it in its own. It does nothing.

/// A desired state. The order of the fields is one in which it can be brought about.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Groups.
    pub groups: Vec<Group>,
    /// Users.
    pub users: Vec<User>,
    /// Directories.
    pub directories: Vec<Directory>,
    /// Names of packages that are installed, in whatever version.
    pub packages: Vec<String>,
    /// Files with a text of their own.
    pub files: Vec<File>,
    /// Files of one template, `template`.
    pub templated: Vec<Templated>,
    /// Links.
    pub symlinks: Vec<Symlink>,
    /// Lines that a file has.
    pub lines: Vec<Line>,
    /// Units that run and are enabled.
    pub units: Vec<Unit>,
    /// Commands that have run, in whatever order. Keel alone is asked for them.
    pub commands: Vec<Command>,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: u32,
}

/// A user with a group of the same name and number.
#[derive(Clone, Debug)]
pub struct User {
    /// Name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Primary group.
    pub group: String,
    /// Home, which is not made.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// A directory.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Path.
    pub path: String,
    /// Owner and group.
    pub owner: String,
    /// Mode, four octal digits.
    pub mode: String,
}

/// A file.
#[derive(Clone, Debug)]
pub struct File {
    /// Path.
    pub path: String,
    /// Text.
    pub content: String,
    /// Owner and group.
    pub owner: String,
    /// Mode, four octal digits.
    pub mode: String,
}

/// A file of the template, as root:root and 0644.
#[derive(Clone, Debug)]
pub struct Templated {
    /// Path.
    pub path: String,
    /// Its three variables: `name`, `port`, `root`.
    pub name: String,
    /// The second.
    pub port: u32,
    /// The third.
    pub root: String,
}

/// A link.
#[derive(Clone, Debug)]
pub struct Symlink {
    /// Path.
    pub path: String,
    /// What it points to.
    pub target: String,
}

/// A line in a file that is there.
#[derive(Clone, Debug)]
pub struct Line {
    /// The file.
    pub path: String,
    /// The line.
    pub line: String,
}

/// A unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Name, with `.service`.
    pub name: String,
    /// The package that brings it, and the directories of what it is restarted for.
    pub package: Option<String>,
    /// Files and links that it is restarted for when they change.
    pub restarted_for: Vec<String>,
}

/// A command.
#[derive(Clone, Debug)]
pub struct Command {
    /// What it is called.
    pub name: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// What is there once it has run.
    pub creates: String,
    /// The directory that has to be there before.
    pub needs: String,
}

/// A directory whose files are copied as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// The directory, which its files share their owner with.
    pub directory: &'a Directory,
    /// The files' mode.
    pub mode: &'a str,
}

impl State {
    /// The directory that all its files lie in, where they are alike and so many that nobody would write them down one by one.
    pub fn tree(&self) -> Option<Tree<'_>> {
        let first = self.files.first().filter(|_| self.files.len() > 20)?;
        let (above, _) = first.path.rsplit_once('/')?;
        let directory = self.directories.iter().find(|it| it.path == above)?;
        let is_alike = |it: &File| {
            it.path.rsplit_once('/').is_some_and(|(other, _)| other == above)
                && it.mode == first.mode
                && it.owner == directory.owner
        };
        self.files.iter().all(is_alike).then_some(Tree { directory, mode: &first.mode })
    }

    /// The mode of the files that are copied into this directory as a whole.
    pub fn copied_into(&self, directory: &Directory) -> Option<&str> {
        self.tree().filter(|tree| tree.directory.path == directory.path).map(|tree| tree.mode)
    }

    /// The files that are written down one by one.
    pub fn singles(&self) -> &[File] {
        if self.tree().is_some() { &[] } else { &self.files }
    }
}

impl File {
    /// Of root, readable for all.
    pub fn of_root(path: String, content: String) -> Self {
        Self { path, content, owner: "root".to_owned(), mode: "0644".to_owned() }
    }
}

/// The template of all `templated`: a virtual host, as web servers have it. `variable` writes the name of a variable as the tool's
/// templates have it.
pub fn template(variable: impl Fn(&str) -> String) -> String {
    let [name, port, root] = ["name", "port", "root"].map(variable);
    let locations: String = ["", "/static", "/media", "/api"]
        .iter()
        .map(|at| format!("    location {at}/ {{\n        root {root};\n        expires 30d;\n    }}\n"))
        .collect();
    format!(
        "# {name}\nserver {{\n    listen {port};\n    server_name {name};\n    root {root};\n    index index.html;\n{locations}    \
         access_log /var/log/{name}.access.log;\n    error_log /var/log/{name}.error.log;\n}}\n"
    )
}

impl Templated {
    /// The text that every tool has to come to.
    pub fn content(&self) -> String {
        template(|variable| match variable {
            "name" => self.name.clone(),
            "port" => self.port.to_string(),
            _ => self.root.clone(),
        })
    }
}
