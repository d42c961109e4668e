//! A running bot for the stories: the real program, with a folder and a port of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub mod deliveries;
pub mod fakes;
pub mod load;
pub mod torture;

/// How long the program may take to start or to stop on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// What went wrong in a story: any error.
pub type Failure = Box<dyn std::error::Error>;

/// The folder of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// The program with an environment that says nothing of the machine it runs on.
fn command(program: &str, data: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("CLEW_DATA_DIR", data).env("CLEW_HTTP_ADDR", "127.0.0.1:0").current_dir(repository());
    command
}

/// Asks `look` again and again until it has an answer, for as long as things may take on a busy machine.
///
/// # Errors
/// Those of `look`; when there is no answer in time, with `what` was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(format!("waited in vain: {what}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs `clew` with `arguments`, `input` on standard input.
///
/// # Errors
/// When the program cannot be run.
pub fn clew(program: &str, arguments: &[&str], input: &[u8]) -> Result<Output, Failure> {
    clew_with(program, arguments, input, &[])
}

/// As [`clew`], with more environment.
///
/// # Errors
/// When the program cannot be run.
pub fn clew_with(
    program: &str,
    arguments: &[&str],
    input: &[u8],
    environment: &[(&str, &str)],
) -> Result<Output, Failure> {
    let data = TempDir::new()?;
    let mut child = command(program, data.path())
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let input = input.to_vec();
    // The program may stop reading early (bad input); then the pipe breaks, and that is no failure of the story.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output()?;
    drop(writer.join());
    Ok(output)
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// Where a redirect leads.
    pub location: String,
    /// When to come again, in seconds, as the header `Retry-After` says.
    pub retry_after: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// A running `clew serve`. Killed when dropped.
pub struct Bot {
    child: Child,
    address: String,
    /// What it printed at start.
    pub greeting: String,
    data: PathBuf,
    /// Removes the folder at the end, when it is our own.
    own: Option<TempDir>,
    agent: ureq::Agent,
    key: Option<String>,
}

impl Bot {
    /// Starts with an empty data folder and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready; the message holds what it printed.
    pub fn start(program: &str, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        let own = TempDir::new()?;
        let mut bot = Self::start_in(program, own.path(), environment)?;
        bot.own = Some(own);
        Ok(bot)
    }

    /// As [`Bot::start`], in the data folder `data`, which stays.
    ///
    /// # Errors
    /// When it does not become ready; the message holds what it printed.
    pub fn start_in(program: &str, data: &Path, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut child = command(program, data)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let mut greeting = String::new();
        let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        while !greeting.contains("clew is ready") {
            if lines.read_line(&mut greeting)? == 0 {
                return Err(format!("clew did not start:\n{greeting}").into());
            }
        }
        // What it prints later must not fill the pipe and block it.
        std::thread::spawn(move || drop(std::io::copy(&mut lines, &mut std::io::sink())));
        let address =
            greeting.split_whitespace().find(|word| word.starts_with("http://")).ok_or("no address printed")?;
        let agent = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        let key = environment.iter().find(|(name, _)| *name == "CLEW_API_KEYS").map(|(_, keys)| (*keys).to_owned());
        let (address, data) = (address.trim_end_matches('/').to_owned(), data.to_owned());
        Ok(Self { child, address, greeting, data, own: None, agent, key })
    }

    /// Where it listens, as `host:port`.
    #[must_use]
    pub fn host_and_port(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// The folder with its state.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data.clone()
    }

    /// Number of the process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Stops as an operator would (SIGTERM) and waits. Returns the exit code.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub fn stop(&mut self) -> Result<i32, Failure> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code().unwrap_or(-1));
            }
            if Instant::now() > deadline {
                return Err("clew did not stop after SIGTERM".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops and starts again in the same data folder.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub fn restart(mut self, program: &str, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        self.stop()?;
        self.start_again(program, environment)
    }

    /// Kills it as a crash would (SIGKILL), at once.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Kills it (SIGKILL) and starts it again in the same data folder.
    ///
    /// # Errors
    /// When it does not start.
    pub fn kill_and_restart(mut self, program: &str, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        self.kill()?;
        self.start_again(program, environment)
    }

    /// Starts again, in the same data folder, what was stopped.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(mut self, program: &str, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        let own = self.own.take();
        let mut bot = Self::start_in(program, &self.data, environment)?;
        bot.own = own;
        Ok(bot)
    }

    /// `GET path`.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn get(&self, path: &str) -> Result<Answer, Failure> {
        let mut request = self.agent.get(format!("{}{path}", self.address));
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        answer(request.call()?)
    }

    /// `GET path` without a key, as a browser does.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn browse(&self, path: &str) -> Result<Answer, Failure> {
        answer(self.agent.get(format!("{}{path}", self.address)).header("accept", "text/html").call()?)
    }

    /// `GET path` without a key, as a program does.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn ask_as_stranger(&self, path: &str) -> Result<Answer, Failure> {
        answer(self.agent.get(format!("{}{path}", self.address)).call()?)
    }

    /// `POST path` with `body`.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Answer, Failure> {
        self.post_with(path, content_type, body, &[])
    }

    /// As [`Bot::post`], with more headers.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post_with(
        &self,
        path: &str,
        content_type: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let key = self.key.as_deref().map(|key| ("x-api-key", key));
        let headers: Vec<(&str, &str)> = key.into_iter().chain(headers.iter().copied()).collect();
        self.post_as_stranger(path, content_type, body, &headers)
    }

    /// As [`Bot::post_with`], without a key.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post_as_stranger(
        &self,
        path: &str,
        content_type: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let mut request = self.agent.post(format!("{}{path}", self.address)).header("content-type", content_type);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body)?)
    }

    /// `POST path` with a JSON document.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post_json(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.post(path, "application/json", body.to_string().as_bytes())
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, Failure> {
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    let (content_type, location, retry_after) = (header("content-type"), header("location"), header("retry-after"));
    let bytes = response.body_mut().with_config().limit(1 << 28).read_to_vec()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { status: response.status().as_u16(), content_type, location, retry_after, bytes, text })
}

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
