//! `clew backup` and `clew restore`: everything that is kept, in one file.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::ExposeSecret;

use super::{BAD_INPUT, FAILED, VERDICT, refuse};
use crate::config::Config;
use crate::store::{Store, restore};

/// Write everything that is kept to a file, also while Clew runs
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds incidents, verdicts, jobs, settings and learned knowledge. Log texts in it are redacted.
While Clew runs, it is asked for the backup at http.addr; else the store is read directly.

Examples:
  clew backup /backups/clew-$(date +%F)
  CLEW_DATA_DIR=/var/lib/clew clew backup -  > backup")]
pub struct Backup {
    /// File to write, which must not exist yet; `-` writes to standard output
    file: PathBuf,
}

/// Put a backup into an empty data folder
#[derive(Debug, Args)]
#[command(after_help = "\
The data folder (CLEW_DATA_DIR) must hold no store: move an old one away first. The backup is checked whole before
anything is written.")]
pub struct Restore {
    /// File that `clew backup` wrote
    file: PathBuf,
}

/// Writes a backup.
pub fn backup(arguments: &Backup, config: &Config) -> u8 {
    if arguments.file == Path::new("-") {
        return match write(config, &mut std::io::stdout().lock()) {
            Ok(()) => VERDICT,
            Err(why) => refuse(&why, FAILED),
        };
    }
    let mut file = match std::fs::File::create_new(&arguments.file) {
        Ok(file) => file,
        Err(error) => return refuse(&format!("{}: {error}", arguments.file.display()), BAD_INPUT),
    };
    let written = write(config, &mut file).and_then(|()| file.sync_all().map_err(|error| error.to_string()));
    match written {
        Ok(()) => {
            println!("{} holds everything that is kept in {}", arguments.file.display(), config.data.dir.display());
            VERDICT
        }
        Err(why) => {
            // Half a backup must not be taken for a whole one.
            drop(std::fs::remove_file(&arguments.file));
            refuse(&why, FAILED)
        }
    }
}

fn write(config: &Config, out: &mut impl Write) -> Result<(), String> {
    if !config.data.dir.join("store").exists() {
        return Err(format!(
            "{} holds no store; set CLEW_DATA_DIR to the folder of the running Clew",
            config.data.dir.display()
        ));
    }
    match Store::open(&config.data.dir) {
        Ok((store, _)) => store.backup(std::io::BufWriter::new(out)).map_err(|error| error.to_string()),
        Err(error) if error.is_in_use() => from_the_running(config, out),
        Err(error) => Err(error.to_string()),
    }
}

/// Asks the Clew that has the store open.
fn from_the_running(config: &Config, out: &mut impl Write) -> Result<(), String> {
    let key = config.http.api_keys.first().map(|key| key.expose_secret().to_owned());
    let mut addr = config.http.addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let url = format!("http://{addr}/backup");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let asked = async {
        let http = clew_adapters::http::Http::new()?;
        http.download(&url, key.as_deref(), out).await
    };
    runtime.block_on(asked).map_err(|error: clew_adapters::Error| {
        format!("the running Clew was asked for the backup at {url}, but {error}. Is http.addr its address?")
    })
}

/// Puts a backup back.
pub fn put_back(arguments: &Restore, config: &Config) -> u8 {
    match restore(&arguments.file, &config.data.dir) {
        Ok(()) => {
            println!("{} holds what the backup holds; start clew", config.data.dir.display());
            VERDICT
        }
        Err(error) => refuse(&format!("{}: {error}", arguments.file.display()), BAD_INPUT),
    }
}
