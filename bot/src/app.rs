//! The parts, wired once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use clew_pipeline::anomaly::baseline::Baseline;
use clew_pipeline::{Pipeline, Sources};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigError, Settings};
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
}

/// Seconds between two looks at the knowledge on disk.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// Everything a request may need.
pub struct App {
    /// The analysis.
    pub pipeline: Arc<Pipeline>,
    /// State on disk.
    pub store: Store,
    /// Figures about this process.
    pub metrics: Metrics,
    /// One permit a core: the pipeline is arithmetic, and more at once only make all slower.
    pub cores: Arc<Semaphore>,
    /// One permit a request that may wait for a core.
    pub waiting: Arc<Semaphore>,
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
        let store = Store::open(&at_start.data.dir)?;
        let config = settings.typed(&store.settings()?)?;
        crate::telemetry::start_log(&config.log);
        let pipeline = Arc::new(Pipeline::load(&sources(&config)));
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Arc::new(Self {
            pipeline,
            store,
            metrics: Metrics::new()?,
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(config.http.max_waiting)),
            settings,
            config: RwLock::new(Arc::new(config)),
        }))
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        // A panic while the lock was held leaves a whole `Arc` behind, so the value is good all the same.
        Arc::clone(&self.config.read().unwrap_or_else(std::sync::PoisonError::into_inner))
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
    pub fn follow_knowledge(self: &Arc<Self>, stop: CancellationToken) {
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
        let mut config = self.config.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (changed, restart) = self.settings.change(&self.store.settings()?, change)?;
        let next = self.settings.typed(&changed)?;
        self.store.change_settings(&changed, &crate::clock::now(), change)?;
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
