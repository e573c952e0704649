//! The settings, read again when they were altered, or when everything is looked at anyhow, in a pause as well. What cannot be read is told at
//! its place, and those before stay in force.

use super::{ControlLoop, Host};
use crate::interest::Who;
use crate::report::{Cause, What};
use crate::reporters::Reporters;
use crate::schedule::{Schedule, splay};
use crate::settings::{self, Settings};
use model::OnDrift;
use std::time::Instant;

impl ControlLoop<'_> {
    /// Reads the settings, if somebody altered them or the time has come.
    pub(super) fn mind_settings(&mut self) {
        let is_altered = self.agenda.is_due(Who::Settings, Instant::now());
        let is_time = matches!(self.agenda.everything(), Some(Cause::Schedule | Cause::Asked));
        if !is_altered && !is_time {
            return;
        }
        self.agenda.done(Who::Settings);
        let Some(path) = self.host.settings.clone() else { return };
        let read = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()));
        let read = read.and_then(|text| {
            let found = settings::read(&path.display().to_string(), &text);
            found.map(|settings| (settings, text)).map_err(|found| settings::words(&found))
        });
        let taken = read.and_then(|(settings, text)| {
            let is_new = settings != self.settings;
            let renewed = if is_new { self.in_force.source().renew(&settings, &text) } else { Ok(()) };
            renewed.map(|()| is_new.then_some(settings)).map_err(|failure| failure.to_string())
        });
        match taken {
            Ok(settings) => {
                self.notebook.status.bad_settings = None;
                settings.into_iter().for_each(|settings| self.renew(settings));
            }
            Err(why) => {
                if self.notebook.status.bad_settings.as_ref() != Some(&why) {
                    let text = format!("the settings cannot be used, and those before stay in force: {why}");
                    self.tell(What::Note { text });
                }
                self.notebook.status.bad_settings = Some(why);
            }
        }
    }

    fn renew(&mut self, mut settings: Settings) {
        let is_opened_otherwise = settings.source != self.settings.source;
        if is_opened_otherwise {
            self.host.outside.opens = self.host.outside.opens.as_ref().map(|opens| opens.by(&settings));
        }
        if is_opened_otherwise || settings.reports != self.settings.reports {
            match Reporters::open(&settings.reports, &self.host, &self.wait) {
                Ok(reporters) => {
                    self.notebook.status.untold.clear();
                    self.reporters = reporters;
                }
                Err(failure) => {
                    // Those of the file differ from them still, and are tried again.
                    settings.reports = self.settings.reports.clone();
                    self.tell(What::Note { text: format!("reports stay as they were: {failure}") });
                }
            }
        }
        self.agenda.follow(schedule(&settings, &self.host), self.now());
        self.notebook.status.mode = mode(&settings).to_owned();
        self.notebook.status.source = self.in_force.source().name();
        self.settings = settings;
        self.tell(What::Note { text: "the settings were altered, and are in force".to_owned() });
        if !self.pause.is_on() {
            self.load();
        }
        self.agenda.want_everything(Cause::Site);
    }
}

/// When everything is looked at.
pub fn schedule(settings: &Settings, host: &Host<'_>) -> Schedule {
    let offset = if settings.splay { splay(&host.machine_id, settings.every) } else { 0 };
    Schedule::new(settings.every, offset)
}

/// What is done about drift, in a word.
pub fn mode(settings: &Settings) -> &'static str {
    match settings.mode {
        OnDrift::Observe => "observe",
        OnDrift::Correct => "correct",
    }
}
