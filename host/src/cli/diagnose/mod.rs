//! `tancheck diagnose PLUGIN`: from a complaint about one thing to what to do about it.

mod answers;
mod page;

use super::engine::{Circumstances, Ground, Which};
use super::inquiry::Inquiry;
use super::output::{Printer, to_stderr};
use super::site::Site;
use super::stop::{INCOMPLETE, OK, Stop, UNREACHABLE};
use super::{Global, ask};
use crate::diagnose::document::{Diagnosis, FORMAT, Walked, groups, texts};
use crate::diagnose::given::{self, Given, Said};
use crate::diagnose::scout::{LogsIn, Scout};
use crate::diagnose::{End, Subject, Walk, walk};
use crate::plugins::Installed;
use crate::run::engine::Collects;
use crate::run::exit::FINDING;
use crate::run::judge::Guests;
use answers::Answers;
use clap::Args;
use futures_util::stream::{self, StreamExt};
use std::path::PathBuf;
use tancheck_plugin_api::manifest::Tree;

/// Leads from something that does not work to what to do about it; asks only what it cannot find out
#[derive(Debug, Args)]
#[command(after_help = "\
What can be seen is seen. On a terminal you are asked for the rest; a script gets the next question and code 3, and goes on
with --answer. Answers are kept for 24 hours for each name: the next call resumes from them. What you say with --answer
comes before what is seen; what was said in an earlier call comes after it.

--tree shows which questions and leaves the vendor's guide itself has, and which are derived from its other chapters.

Examples:
  tancheck diagnose direct-connect --endpoint PC-0417
  tancheck diagnose direct-connect --endpoint PC-0417 --answer connection-test=failed -o json
  tancheck diagnose direct-connect --failed
  tancheck diagnose direct-connect --tree

Exit codes: 0 nothing is wrong, 1 a leaf that says what is, 2 usage or configuration, 3 an answer is missing, 5 an answer is
missing and the deployment was not reached.")]
pub(super) struct Arguments {
    /// The plugin whose module is diagnosed
    #[arg(value_name = "PLUGIN")]
    plugin: String,
    /// What is diagnosed, by name; where several are named, nobody is asked
    #[arg(long, visible_alias = "subject", value_name = "NAME", value_parser = subject)]
    endpoint: Vec<Subject>,
    /// Diagnoses everything that failed lately, grouped by leaf
    #[arg(long, conflicts_with = "endpoint")]
    failed: bool,
    /// At most so many of what failed
    #[arg(long, value_name = "NUMBER", default_value_t = 50, requires = "failed")]
    limit: usize,
    /// The answer to a question; may be repeated
    #[arg(long, value_name = "QUESTION=ANSWER", value_parser = answers::pair)]
    answer: Vec<(String, String)>,
    /// A TOML file of answers: question = "answer", below ["NAME"] for one name alone
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Who answers, if not the account that runs this
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Forgets what was answered in earlier calls
    #[arg(long)]
    fresh: bool,
    /// Shows all questions and leaves; asks nobody
    #[arg(long, conflicts_with_all = ["endpoint", "failed", "answer", "answers"])]
    tree: bool,
    #[command(flatten)]
    circumstances: Circumstances,
}

fn subject(text: &str) -> Result<Subject, String> {
    text.parse::<Subject>().map_err(|error| error.to_string())
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let runtime = super::runtime()?;
    let code = runtime.block_on(async {
        if arguments.tree {
            let site = Site::load(global).await?;
            let (plugin, tree) = tree(&site, &arguments.plugin)?;
            printer.document(tree, || page::tree(&plugin.manifest.id, tree))?;
            return Ok(OK);
        }
        diagnose(&arguments, global, &printer).await
    });
    runtime.shutdown_background();
    code
}

/// The plugin with this id, and its tree.
fn tree<'a>(site: &'a Site, id: &str) -> Result<(&'a Installed, &'a Tree), Stop> {
    let plugin = site.plugin(id)?;
    let tree = plugin.manifest.diagnosis.as_ref().ok_or_else(|| {
        let others = site.manifests().into_iter().filter(|one| one.diagnosis.is_some());
        let others: Vec<&str> = others.map(|one| one.id.as_str()).collect();
        let others = if others.is_empty() {
            "none has one".to_owned()
        } else {
            format!("those that do: {}", others.join(", "))
        };
        Stop::Usage(format!("the plugin {id} declares no diagnosis; {others}"))
    })?;
    Ok((plugin, tree))
}

async fn diagnose(arguments: &Arguments, global: &Global, printer: &Printer) -> Result<u8, Stop> {
    let ground = Ground::load(&Which::from(&arguments.circumstances), global).await?;
    let (plugin, tree) = tree(&ground.site, &arguments.plugin)?;
    let answers = Answers::read(&arguments.answer, arguments.answers.as_deref(), tree)?;
    let inquiry = Inquiry::new(&ground);
    let (setup, workers) = (inquiry.setup(), inquiry.workers());
    let scout = Scout::new(&setup, plugin, &inquiry, &workers);
    let mut desk = Desk { arguments, global, ground: &ground, plugin, tree, answers, problems: Vec::new() };
    let subjects = desk.subjects(&scout).await?;
    let walks = match subjects.as_slice() {
        [subject] if !arguments.failed => vec![desk.walk(subject, &scout).await?],
        several => desk.walks(several, &scout).await,
    };
    let mut problems = desk.problems;
    problems.extend(scout.problems().await);
    problems.extend(inquiry.unreached().map(str::to_owned));
    problems.sort();
    problems.dedup();
    let document = Diagnosis {
        format: FORMAT,
        plugin: plugin.manifest.id.clone(),
        title: tree.title.clone(),
        deployment: ground.config.deployment.id.clone(),
        at: ground.now,
        groups: groups(tree, &walks),
        walks,
        problems,
    };
    let code = code(&document, subjects.is_empty() && arguments.failed, inquiry.unreached().is_some());
    scout.stop().await;
    inquiry.close().await;
    printer
        .document(&document, || page::diagnosis(&document, arguments.failed, &ground.config.calendar.zone))?;
    Ok(code)
}

/// The exit code. `unknown`: nobody could tell what failed.
fn code(document: &Diagnosis, nobody: bool, unreached: bool) -> u8 {
    let open = document.walks.iter().any(|walked| walked.leaf.is_none());
    let unknown = nobody && !document.problems.is_empty();
    let wrong = document.walks.iter().any(|walked| walked.leaf.is_some() && !walked.is_healthy());
    match (open || unknown, wrong) {
        (true, _) if unreached => UNREACHABLE,
        (_, true) => FINDING,
        (true, false) => INCOMPLETE,
        (false, false) => OK,
    }
}

/// Where answers come together.
struct Desk<'a> {
    arguments: &'a Arguments,
    global: &'a Global,
    ground: &'a Ground,
    plugin: &'a Installed,
    tree: &'a Tree,
    answers: Answers,
    problems: Vec<String>,
}

impl Desk<'_> {
    /// What is diagnosed.
    async fn subjects<C: Collects + LogsIn, G: Guests>(
        &mut self,
        scout: &Scout<'_, C, G>,
    ) -> Result<Vec<Subject>, Stop> {
        let kind = &self.tree.subject;
        if self.arguments.failed {
            return Ok(self.failed(scout).await);
        }
        if !self.arguments.endpoint.is_empty() {
            let mut subjects = self.arguments.endpoint.clone();
            let mut seen = std::collections::BTreeSet::new();
            subjects.retain(|subject| seen.insert(subject.key()));
            return Ok(subjects);
        }
        if !self.global.can_ask() {
            return Err(Stop::Usage(format!("say which {kind} with --endpoint NAME, or give --failed")));
        }
        let name = ask::line(&format!("Name of the {kind}:"))?;
        Ok(vec![name.parse().map_err(|error| Stop::Usage(format!("{name:?}: {error}")))?])
    }

    /// Everything that failed lately.
    async fn failed<C: Collects + LogsIn, G: Guests>(&mut self, scout: &Scout<'_, C, G>) -> Vec<Subject> {
        let manifest = &self.plugin.manifest;
        let Some(reading) = self.tree.failed.as_ref().and_then(|id| manifest.reading(id)) else {
            self.problems.push(format!("{} does not say where to read what failed", manifest.id));
            return Vec::new();
        };
        let text = match scout.read(reading, None).await {
            Ok(read) => read.text,
            Err(why) => {
                self.problems.push(format!("{} cannot be read: {why}", reading.about));
                return Vec::new();
            }
        };
        let mut subjects: Vec<Subject> = Vec::new();
        for name in text.lines().filter(|name| !name.trim().is_empty()) {
            match name.parse::<Subject>() {
                Ok(subject) if subjects.iter().any(|known| known.key() == subject.key()) => {}
                Ok(subject) => subjects.push(subject),
                Err(error) => self.problems.push(format!("{name:?} is left out: {error}")),
            }
        }
        let limit = self.arguments.limit;
        if subjects.len() > limit {
            let all = subjects.len();
            self.problems.push(format!("only {limit} of {all} are diagnosed; --limit {all} takes all"));
            subjects.truncate(limit);
        }
        subjects
    }

    /// Several walks, in which nobody is asked. They go on side by side, as far as the windows of the deployment let
    /// them.
    async fn walks<C: Collects + LogsIn, G: Guests<Guest: Send> + Sync>(
        &mut self,
        subjects: &[Subject],
        scout: &Scout<'_, C, G>,
    ) -> Vec<Walked> {
        let given: Vec<Given> = subjects.iter().map(|subject| self.given(subject)).collect();
        let limits = &self.ground.config.limits;
        let at_once = limits.questions_in_flight.max(limits.calls_in_flight).max(1);
        let desk = &*self;
        let walks = subjects.iter().zip(given).map(|(subject, given)| async move {
            let walk = walk(desk.tree, &given, &scout.about(subject.name())).await;
            desk.walked(&walk, subject, scout).await
        });
        // Gathered first: what borrows from an iterator that is still going has no one lifetime.
        let walks: Vec<_> = walks.collect();
        stream::iter(walks).buffered(at_once).collect().await
    }

    /// One walk; asks where it may.
    async fn walk<C: Collects + LogsIn, G: Guests>(
        &mut self,
        subject: &Subject,
        scout: &Scout<'_, C, G>,
    ) -> Result<Walked, Stop> {
        let mut given = self.given(subject);
        let mut told = 0;
        let walk = loop {
            let walk = walk(self.tree, &given, &scout.about(subject.name())).await;
            let End::Open { .. } = &walk.end else { break walk };
            if !self.global.can_ask() {
                break walk;
            }
            let walked = self.walked(&walk, subject, scout).await;
            to_stderr(
                page::stages(&walked.path[told..], told + 1, &self.ground.config.calendar.zone).trim_end(),
            );
            told = walked.path.len();
            let Some(asks) = &walked.asks else { break walk };
            match asked(self.tree, &asks.node, &page::question(asks))? {
                None => break walk,
                Some(answer) => self.say(&mut given, subject, &asks.node, answer),
            }
        };
        Ok(self.walked(&walk, subject, scout).await)
    }

    async fn walked<C: Collects + LogsIn, G: Guests>(
        &self,
        walk: &Walk,
        subject: &Subject,
        scout: &Scout<'_, C, G>,
    ) -> Walked {
        let values = scout.values(&self.tree.values, &texts(self.tree, walk)).await;
        Walked::of(self.tree, walk, subject.name(), values)
    }

    /// What people said: earlier, and for this call.
    fn given(&mut self, subject: &Subject) -> Given {
        let mut given = Given::default();
        let manifest = &self.plugin.manifest;
        match &self.ground.history {
            Ok(store) if !self.arguments.fresh => {
                if let Err(error) = given.recall(store, &manifest.id, self.tree, subject, self.ground.now) {
                    self.problems.push(format!("earlier answers cannot be read: {error}"));
                }
            }
            Ok(_) => {}
            Err(error) => self.problems.push(format!("earlier answers cannot be read: {error}")),
        }
        for (node, answer) in self.answers.about(subject) {
            self.say(&mut given, subject, &node, answer);
        }
        given
    }

    /// Takes an answer, and keeps it for later calls.
    fn say(&mut self, given: &mut Given, subject: &Subject, node: &str, answer: String) {
        let by = self.arguments.by.clone().unwrap_or_else(account);
        let said = Said { answer, by, at: self.ground.now };
        if let Ok(store) = &self.ground.history
            && let Err(error) = given::keep(store, &self.plugin.manifest.id, node, subject, &said)
        {
            self.problems.push(format!("answers are not kept: {error}"));
        }
        given.say(node, said);
    }
}

/// Asks until the answer is understood; nothing for an empty line.
fn asked(tree: &Tree, node: &str, question: &str) -> Result<Option<String>, Stop> {
    to_stderr(&format!("\n{}", question.trim_end()));
    loop {
        let line = ask::line("Answer (nothing: stop here and resume later):")?;
        let branches = tree.node(node).map(|node| node.branches.as_slice()).unwrap_or_default();
        let by_number = line.parse::<usize>().ok().and_then(|number| branches.get(number.checked_sub(1)?));
        match by_number {
            _ if line.is_empty() => return Ok(None),
            Some(branch) => return Ok(Some(branch.answer.clone())),
            None => match given::understood(tree, node, &line) {
                Ok((_, answer)) => return Ok(Some(answer.to_owned())),
                Err(problem) => to_stderr(&problem),
            },
        }
    }
}

/// The account that runs this, as its environment names it.
fn account() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|key| std::env::var(key).ok());
    named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "somebody".to_owned())
}
