//! The parts, wired once.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use clew_adapters::chat::{Answer, Chat, MessageRef, Place, Request};
use clew_adapters::code::CodeHost;
use clew_adapters::trackers::local::{self, Local};
use clew_adapters::trackers::{self, AnyTracker, Configured};
use clew_pipeline::anomaly::baseline::Baseline;
use clew_pipeline::{Pipeline, Sources, Triage};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::card::{Around, Links};
use crate::chats::Ears;
use crate::clock;
use crate::config::{Automatic, Config, ConfigError, Settings};
use crate::incident::{Home, IncidentId};
use crate::queue::{Job, Queue};
use crate::senders::Senders;
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The metrics cannot be made.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A system outside cannot be used at all.
    #[error(transparent)]
    Adapter(#[from] clew_adapters::Error),
}

/// Seconds between two looks at the knowledge on disk.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Time between two looks at the room on the disk.
const MEASURE_EVERY: Duration = Duration::from_millis(500);
/// Time between two removals of what is older than the settings keep.
const SWEEP_EVERY: Duration = Duration::from_hours(1);
/// Time from the start to the first of them.
const SWEEP_FIRST: Duration = Duration::from_mins(10);
/// Time between two looks whether the store answers, and how long it may take to.
const LOOK_AT_STORE_EVERY: Duration = Duration::from_secs(5);
const STORE_ANSWERS_IN: Duration = Duration::from_secs(30);
/// Exit code when it cannot be started again.
const HANGS: i32 = 70;
/// Deliveries whose body is read and checked at once; each holds at most `webhooks.body_limit_bytes` in memory.
const READ_AT_ONCE: usize = 64;
/// Messages whose files are unpacked at once.
const UNPACKED_AT_ONCE: usize = 2;

/// Gives a header by its lower-case name.
pub type Header<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// Everything a request may need.
pub struct App {
    /// The analysis.
    pub pipeline: Arc<Pipeline>,
    /// State on disk.
    pub store: Arc<Store>,
    /// Figures about this process.
    pub metrics: Metrics,
    /// One permit a core: the pipeline is arithmetic, and more at once only make all slower.
    pub cores: Arc<Semaphore>,
    /// One permit a request that may wait for a core.
    pub waiting: Arc<Semaphore>,
    /// One permit a delivery that is being read.
    pub reading: Semaphore,
    /// One permit for each message whose files are being unpacked: each may take `attachments::MAX_TEXT` of memory, twice.
    pub unpacking: Semaphore,
    /// What must still be done.
    pub queue: Arc<Queue>,
    /// Calls to senders of alerts.
    pub senders: Senders,
    /// The chat platforms.
    chats: Vec<Chat>,
    /// The trackers, in the order in which they are asked.
    trackers: Vec<AnyTracker>,
    /// Where the code is, if that is known.
    code: Option<CodeHost>,
    /// When messages were last edited.
    edits: Mutex<HashMap<MessageRef, Instant>>,
    parallel: usize,
    told: Mutex<Option<mpsc::UnboundedReceiver<Job>>>,
    settings: Settings,
    config: RwLock<Arc<Config>>,
}

impl App {
    /// Opens the store, reads the models and puts all together.
    ///
    /// # Errors
    /// When the store or a setting cannot be used. Missing models are no error: the verdicts say what is missing.
    pub fn start(settings: Settings) -> Result<Arc<Self>, StartError> {
        let at_start = settings.typed(&Value::Object(serde_json::Map::new()))?;
        let (store, told) = Store::open(&at_start.data.dir)?;
        let store = Arc::new(store);
        let config = settings.typed(&store.settings()?)?;
        crate::telemetry::start_log(&config.log);
        let pipeline = Arc::new(Pipeline::load(&sources(&config)));
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let Configured { mut trackers, code } =
            trackers::configured(&|section, key| config.integration(section, key).cloned())?;
        trackers.push(AnyTracker::Local(Local::new(Arc::clone(&store) as _)));
        Ok(Arc::new(Self {
            pipeline,
            chats: crate::chats::all(&config, &store)?,
            trackers,
            code,
            senders: Senders::new()?,
            queue: Arc::new(Queue::new()),
            told: Mutex::new(Some(told)),
            edits: Mutex::default(),
            parallel: cores,
            reading: Semaphore::new(READ_AT_ONCE),
            unpacking: Semaphore::new(UNPACKED_AT_ONCE),
            store,
            metrics: Metrics::new()?,
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(config.http.max_waiting)),
            settings,
            config: RwLock::new(Arc::new(config)),
        }))
    }

    /// Starts everything that runs besides the server, until `stop`. What is in `tasks` is finished at the end.
    // The home of this call; everywhere else clippy.toml forbids it.
    #[allow(clippy::disallowed_methods)]
    pub fn begin(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        self.follow_knowledge(stop.clone());
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(told) = told {
            let queue = Arc::clone(&self.queue);
            tokio::spawn(queue.run(Arc::clone(self), told, stop.clone(), tasks.clone()));
        }
        for number in 0..self.chats.len() {
            let (app, stop) = (Arc::clone(self), stop.clone());
            tasks.spawn(async move { app.chats[number].listen(Arc::new(Ears(Arc::clone(&app))), stop).await });
        }
        let app = Arc::clone(self);
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { app.watch_disk().await }));
        let app = Arc::clone(self);
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { app.sweep().await }));
        let app = Arc::clone(self);
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { app.watch_store().await }));
        let app = Arc::clone(self);
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { crate::watch::run(&app).await }));
    }

    /// Looks at the room on the disk, and says when there is too little and when there is enough again.
    async fn watch_disk(&self) {
        loop {
            if self.store.measure(self.config().data.min_free_mib) {
                if self.disk_is_full() {
                    tracing::error!("{}", StoreError::DiskFull);
                } else {
                    tracing::info!("there is room on the disk again; work goes on");
                }
            }
            tokio::time::sleep(MEASURE_EVERY).await;
        }
    }

    /// Starts the program again when the store does not answer any more, as after a crash: nothing that was accepted is lost,
    /// while a program that hangs looks well from outside. sled can hang (docs/adr/0009).
    async fn watch_store(&self) {
        use std::os::unix::process::CommandExt as _;
        loop {
            tokio::time::sleep(LOOK_AT_STORE_EVERY).await;
            if tokio::time::timeout(STORE_ANSWERS_IN, self.store.kept()).await.is_err() {
                let patience = STORE_ANSWERS_IN.as_secs();
                tracing::error!("the store has not answered for {patience} s; clew starts itself again");
                let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("clew"));
                let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).exec();
                tracing::error!(%error, "clew cannot start itself again; it ends");
                std::process::exit(HANGS);
            }
        }
    }

    /// Removes what is older than the settings keep, now and then. By a clock that has just jumped, nothing is old.
    async fn sweep(self: Arc<Self>) {
        let mut clock = clock::Watch::start();
        let mut wait = SWEEP_FIRST;
        loop {
            tokio::time::sleep(wait).await;
            wait = SWEEP_EVERY;
            if !clock.is_steady(clock::now(), std::time::Instant::now()) {
                tracing::warn!(
                    "the clock of this machine has jumped; nothing is removed for its age until it was steady for a day"
                );
                continue;
            }
            let app = Arc::clone(&self);
            let swept =
                tokio::task::spawn_blocking(move || app.store.sweep(&app.config().retention, clock::now())).await;
            match swept {
                Ok(Ok(swept)) => {
                    swept.dead_letters.iter().for_each(|id| self.queue.forget(*id));
                    tracing::debug!(?swept, "what is older than the settings keep was removed");
                }
                Ok(Err(error)) => tracing::warn!(%error, "what is older than the settings keep could not be removed"),
                Err(error) => tracing::error!(%error, "what is older than the settings keep could not be removed"),
            }
        }
    }

    /// Whether there is too little room on the disk to write anything.
    #[must_use]
    pub fn disk_is_full(&self) -> bool {
        self.store.is_full()
    }

    /// Jobs of arithmetic that run at once.
    #[must_use]
    pub fn parallel(&self) -> usize {
        self.parallel
    }

    /// A chat platform by its name.
    #[must_use]
    pub fn chat(&self, platform: &str) -> Option<&Chat> {
        use clew_adapters::chat::ChatPlatform;
        self.chats.iter().find(|chat| chat.name() == platform)
    }

    /// The trackers, in the order in which they are asked.
    #[must_use]
    pub fn trackers(&self) -> &[AnyTracker] {
        &self.trackers
    }

    /// A tracker by its name.
    #[must_use]
    pub fn tracker(&self, name: &str) -> Option<&AnyTracker> {
        use clew_adapters::trackers::Tracker;
        self.trackers.iter().find(|tracker| tracker.name() == name)
    }

    /// Where tickets are opened when nobody says where.
    #[must_use]
    pub fn default_tracker(&self) -> &'static str {
        use clew_adapters::trackers::Tracker;
        let set = self.tracker(&self.config().tickets.tracker);
        set.or_else(|| self.trackers.first()).map_or(local::NAME, Tracker::name)
    }

    /// Where the code is, if that is known.
    #[must_use]
    pub fn code(&self) -> Option<&CodeHost> {
        self.code.as_ref()
    }

    /// Where incidents that no chat asked for are shown.
    #[must_use]
    pub fn default_homes(&self) -> BTreeMap<String, Home> {
        use clew_adapters::chat::ChatPlatform;
        let config = self.config();
        let homes = self.chats.iter().filter_map(|chat| {
            let channel = config.channel(chat.name())?;
            let place = Place { channel, thread: None };
            Some((chat.name().to_owned(), Home { place, card: None, begun: false, shown: 0 }))
        });
        homes.collect()
    }

    /// Address under which people of a platform find an incident, if it is shown there.
    #[must_use]
    pub fn link(&self, platform: &str, id: IncidentId) -> Option<String> {
        use clew_adapters::chat::ChatPlatform;
        // An incident that cannot be read costs a link.
        let incident = self.store.incident(id).ok()??;
        self.chat(platform)?.link(incident.homes.get(platform)?.card.as_ref()?)
    }

    /// Address under which people find an incident in any chat that has addresses on the web.
    #[must_use]
    pub fn link_anywhere(&self, id: IncidentId) -> Option<String> {
        let incident = self.store.incident(id).ok()??;
        incident.homes.keys().find_map(|platform| self.link(platform, id).filter(|url| url.starts_with("http")))
    }

    /// The trackers in which a card offers to open a ticket, and what each calls one: our own when there is no other.
    #[must_use]
    pub fn offered_trackers(&self) -> Vec<(&'static str, &'static str)> {
        use clew_adapters::trackers::Tracker;
        let offered = |tracker: &AnyTracker| (tracker.name(), tracker.manners().noun);
        let others = self.trackers.iter().map(offered).filter(|(name, _)| *name != local::NAME).collect::<Vec<_>>();
        if others.is_empty() { self.trackers.iter().map(offered).collect() } else { others }
    }

    /// What a card must know besides its incident. `links`: where other incidents are.
    #[must_use]
    pub fn around<'a>(&self, links: Links<'a>) -> Around<'a> {
        let asks_for_ticket = self.config().tickets.automatic == Automatic::Ask;
        Around { links, trackers: self.offered_trackers(), asks_for_ticket }
    }

    /// Takes a delivery that a chat platform sent over HTTP; `None` when no platform that is configured has this address.
    pub async fn receive(self: &Arc<Self>, path: &str, header: Header<'_>, body: &[u8]) -> Option<Answer> {
        let ears = Arc::new(Ears(Arc::clone(self)));
        for chat in &self.chats {
            let request = Request { path, header, body, now: clock::now().timestamp() };
            let answer = chat.receive(request, &ears).await;
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// Whether a message may be edited again, `pace` after its last edit.
    ///
    /// # Errors
    /// How long it must wait.
    pub fn wait_to_edit(&self, message: &MessageRef, pace: Duration) -> Result<(), Duration> {
        let edits = self.edits.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = edits.get(message).map(|last| (*last + pace).saturating_duration_since(Instant::now()));
        wait.filter(|wait| !wait.is_zero()).map_or(Ok(()), Err)
    }

    /// Notes that a message was edited just now.
    pub fn edited(&self, message: &MessageRef) {
        /// Messages whose last edit is remembered, before the older half is forgotten.
        const REMEMBERED: usize = 10_000;
        let mut edits = self.edits.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if edits.len() >= REMEMBERED {
            edits.retain(|_, last| now.duration_since(*last) < Duration::from_mins(1));
        }
        edits.insert(message.clone(), now);
    }

    /// Counts a verdict in the metrics.
    pub fn count(&self, triage: &Triage) {
        self.metrics.predictions.with_label_values(&[triage.root_cause_id]).inc();
        self.metrics.anomalies.inc_by(triage.counts.anomalies as u64);
        for (stage, millis) in &triage.timings_ms {
            self.metrics.triage_seconds.with_label_values(&[stage]).observe(millis / 1000.0);
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        // A panic while the lock was held leaves a whole `Arc` behind, so the value is good all the same.
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is normal for `service`, as far as it is known. A store that fails costs this knowledge, not the verdict.
    pub fn baseline(&self, service: Option<&str>) -> Option<Baseline> {
        self.store.baseline(service?).unwrap_or_else(|error| {
            tracing::warn!(%error, "the baseline of a service could not be read");
            None
        })
    }

    /// Adds the routine templates of an input of `records` records to what is normal for `service`.
    pub fn learn_routine(&self, service: Option<&str>, records: usize, routine: &[(String, usize)]) {
        let Some(service) = service else { return };
        let routine = routine.iter().map(|(template, count)| (template.as_str(), *count));
        if let Err(error) = self.store.learn_baseline(service, records, routine) {
            tracing::warn!(%error, "the baseline of a service could not be kept");
        }
    }

    /// Reads the knowledge again whenever it changes on disk, until `stop`.
    // The home of this call; everywhere else clippy.toml forbids it.
    #[allow(clippy::disallowed_methods)]
    fn follow_knowledge(self: &Arc<Self>, stop: CancellationToken) {
        let pipeline = Arc::clone(&self.pipeline);
        tokio::spawn(async move {
            let mut known = look(&pipeline).await;
            while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
                let now = look(&pipeline).await;
                if now == known {
                    continue;
                }
                // What is being copied right now is read when it is complete.
                tokio::time::sleep(LOOK_EVERY / 4).await;
                known = look(&pipeline).await;
                let state = Arc::clone(&pipeline);
                match tokio::task::spawn_blocking(move || state.reload_knowledge()).await {
                    Ok(Ok(())) => {
                        tracing::info!(entries = pipeline.knowledge().documents().len(), "knowledge read again");
                    }
                    Ok(Err(error)) => tracing::warn!(error, "the knowledge changed on disk but could not be read"),
                    Err(error) => tracing::error!(%error, "reading the knowledge failed"),
                }
            }
        });
    }

    /// The settings in force with secrets masked.
    ///
    /// # Errors
    /// When the store fails.
    pub fn masked_settings(&self) -> Result<Value, StoreError> {
        Ok(self.settings.masked(&self.store.settings()?))
    }

    /// Checks and keeps a change of settings. Returns the settings that take effect at the next start only.
    ///
    /// # Errors
    /// When the change does not fit or the store fails.
    pub fn change_settings(&self, change: &Value) -> Result<Vec<String>, StartError> {
        let mut config = self.config.write().unwrap_or_else(PoisonError::into_inner);
        let (changed, restart) = self.settings.change(&self.store.settings()?, change)?;
        let next = self.settings.typed(&changed)?;
        self.store.change_settings(&changed, &clock::in_words(clock::now()), change)?;
        *config = Arc::new(next);
        Ok(restart)
    }
}

async fn look(pipeline: &Arc<Pipeline>) -> String {
    let pipeline = Arc::clone(pipeline);
    tokio::task::spawn_blocking(move || pipeline.knowledge_on_disk()).await.unwrap_or_default()
}

/// Where the pipeline's data is, by the settings or found.
#[must_use]
pub fn sources(config: &Config) -> Sources {
    let settings = &config.pipeline;
    Sources {
        models: found(&settings.model_dir, "models"),
        knowledge: found(&settings.knowledge_dir, "knowledge"),
        imported: Some(config.data.dir.join("knowledge")),
        code_keywords: found(&settings.code_keywords, "code_keywords.txt"),
        vector_cache: Some(config.data.dir.join("cache").join("knowledge-vectors.bin")),
    }
}

/// The path that was set; else `name` in the working directory, or beside the program or above it (a program that
/// cargo built lies two folders below the repository).
fn found(set: &Path, name: &str) -> PathBuf {
    if !set.as_os_str().is_empty() {
        return set.to_owned();
    }
    let here = PathBuf::from(name);
    if here.exists() {
        return here;
    }
    let program = std::env::current_exe().ok();
    let above = program
        .iter()
        .flat_map(|path| path.ancestors().skip(1).take(4))
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    above.unwrap_or(here)
}
