//! What a sort of fault is: one struct that says what is to go wrong, how it is put on a host, and how it is taken back from a note that was
//! written before.

use super::tools::Tools;
use crate::kind::Listed;
use model::{Failure, Repair};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a fault is not put on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cannot {
    /// This host cannot have it: it lacks what is needed for it. That is neither a failure nor a drill that was passed.
    Here(String),
    /// It was refused, or it failed.
    Failed(Failure),
}

impl From<Failure> for Cannot {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A sort of fault: what goes wrong, and how that is put on a host and taken back.
pub trait Fault: Listed {
    /// Who usually makes the host even again.
    const REPAIR: Repair;
    /// What taking it back needs to know.
    type Note: Serialize + DeserializeOwned;

    /// Looks whether it can be put here, and notes what taking it back needs. Changes nothing.
    ///
    /// # Errors
    /// It cannot.
    fn prepare(&self, tools: &dyn Tools) -> Result<Self::Note, Cannot>;

    /// Puts it: the note is on the disk by now. Says what was done.
    ///
    /// # Errors
    /// It could not; part of it may have been done.
    fn inject(&self, note: &Self::Note, tools: &dyn Tools) -> Result<String, Cannot>;

    /// Takes back as much of it as is there, also twice and also where it was never put. Says what was done; nothing where there was nothing left.
    ///
    /// # Errors
    /// It could not. It is tried again.
    fn undo(note: &Self::Note, tools: &dyn Tools) -> Result<String, Failure>;
}

/// A decoded fault, as whoever puts it sees it.
pub trait Put {
    /// As [`Fault::prepare`].
    ///
    /// # Errors
    /// Those of it.
    fn prepare(&self, tools: &dyn Tools) -> Result<Value, Cannot>;
    /// As [`Fault::inject`].
    ///
    /// # Errors
    /// Those of it.
    fn inject(&self, note: &Value, tools: &dyn Tools) -> Result<String, Cannot>;
}

impl<F: Fault> Put for F {
    fn prepare(&self, tools: &dyn Tools) -> Result<Value, Cannot> {
        let note = Fault::prepare(self, tools)?;
        serde_json::to_value(note).map_err(|error| Failure::io("describe", "the fault", error).into())
    }

    fn inject(&self, note: &Value, tools: &dyn Tools) -> Result<String, Cannot> {
        Fault::inject(self, &noted::<F>(note)?, tools)
    }
}

fn noted<F: Fault>(note: &Value) -> Result<F::Note, Failure> {
    F::Note::deserialize(note).map_err(|error| Failure::unknown("the fault", error.to_string()))
}

/// Decodes what came over the wire: the compiler has checked it, or somebody else has sent it.
pub(super) fn put_of<F: Fault>(params: &Value) -> Result<Box<dyn Put>, Failure> {
    let wrong =
        |why: String| Failure::refused(format!("this is no `{}`: {why}", F::NAME), "compile it again");
    let fault = F::deserialize(params).map_err(|error| wrong(error.to_string()))?;
    match fault.problems().first() {
        None => Ok(Box::new(fault)),
        Some(problem) => Err(wrong(problem.message.clone())),
    }
}

/// Takes a fault back.
pub(super) fn undo_of<F: Fault>(note: &Value, tools: &dyn Tools) -> Result<String, Failure> {
    F::undo(&noted::<F>(note)?, tools)
}
