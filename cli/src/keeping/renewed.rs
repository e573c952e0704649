//! The agent's source by the settings in force, which may be others than those that stand there: a mistake in them changes nothing. Those in
//! force are kept in the host's state, where the child that compiles reads them.

use super::source::Compiler;
use agent::state::StateDir;
use daemon::{Bell, NoSite, Settings, Site, Source, settings};
use model::Failure;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

/// The folder of what the agent does not write while it looks, and the file in it.
const FOLDER: &str = "orders";
const NAME: &str = "orders/settings.toml";

/// What is compiled here, by the settings in force.
pub struct Renewed {
    state: StateDir,
    compiler: RefCell<Compiler>,
    /// Rung for what comes later; `None` where it is waited for.
    bell: RefCell<Option<Arc<Bell>>>,
}

impl Renewed {
    /// By these, of which `text` is what was read.
    ///
    /// # Errors
    /// They cannot be kept.
    pub fn new(settings: &Settings, text: &str, state: &StateDir) -> Result<Self, Failure> {
        let state = StateDir::new(state.root());
        state.make_folder(FOLDER)?;
        // Who is started again where the disk is full has them already.
        if state.read(NAME)?.as_deref() != Some(text.as_bytes()) {
            state.write(NAME, text.as_bytes())?;
        }
        let compiler = RefCell::new(compiler(settings, &state));
        Ok(Self { state, compiler, bell: RefCell::default() })
    }
}

/// Those that were in force last, and their text; `None` where there are none that can be read.
pub fn before(state: &StateDir) -> Option<(Settings, String)> {
    let text = String::from_utf8(state.read(NAME).ok()??).ok()?;
    let settings = settings::read(NAME, &text).ok()?;
    Some((settings, text))
}

fn compiler(settings: &Settings, state: &StateDir) -> Compiler {
    let path: PathBuf = state.root().join(NAME);
    Compiler::new(settings.clone(), path, state)
}

impl Source for Renewed {
    fn name(&self) -> String {
        self.compiler.borrow().name()
    }

    fn site(&self) -> Result<Site, NoSite> {
        self.compiler.borrow().site()
    }

    fn heed(&self, bell: Bell) {
        let bell = Arc::new(bell);
        self.compiler.borrow_mut().with_bell(Arc::clone(&bell));
        self.bell.replace(Some(bell));
    }

    fn asks(&self) -> bool {
        self.compiler.borrow().asks()
    }

    fn has_news(&self) -> bool {
        self.compiler.borrow().has_news()
    }

    fn is_outdated(&self) -> bool {
        self.compiler.borrow().is_outdated()
    }

    fn renew(&self, settings: &Settings, text: &str) -> Result<(), Failure> {
        self.state.write(NAME, text.as_bytes())?;
        let mut compiler = compiler(settings, &self.state);
        self.bell.borrow().iter().for_each(|bell| compiler.with_bell(Arc::clone(bell)));
        self.compiler.replace(compiler);
        Ok(())
    }
}
