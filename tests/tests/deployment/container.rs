//! A container without an engine: a root folder, entered with `chroot` as the image's user.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::tools::{file, run_well};

/// The image's user and group.
pub(crate) const USER: u32 = 65532;
/// The end of one that a test has left running because it was killed itself, in seconds.
const TIME_LIMIT: &str = "120";

/// Whether this user may enter another root. Says so where it may not.
pub(crate) fn can_be_entered() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        eprintln!("SKIPPED: only root may enter another root folder");
    }
    is_root
}

/// A program in a root folder, with its arguments and all of its environment.
#[derive(Debug)]
pub(crate) struct Container {
    root: TempDir,
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Container {
    /// One with the files of the image. Its user can write nothing but `/tmp`.
    pub(crate) fn new() -> Result<Self> {
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let image = image()?.join(".");
        run_well(Command::new("cp").args(["--archive", "--link"]).arg(image).arg(root.path()))?;
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755))?;
        let variables = [("SSL_CERT_FILE".to_owned(), "/etc/ssl/certs/ca-certificates.crt".to_owned())];
        Ok(Self { root, arguments: Vec::new(), variables: variables.into() })
    }

    /// A path as seen from outside.
    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// Adds a file that the image's group can read.
    pub(crate) fn add(&self, path: &str, content: &[u8]) -> Result<()> {
        let outside = self.outside(path);
        fs::create_dir_all(outside.parent().context("no folder")?)?;
        fs::write(&outside, content)?;
        chown(&outside, Some(0), Some(USER))?;
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o440)).context("change the mode")
    }

    /// The program of the image with other arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        // In the foreground: else it would send a signal twice, and the second one ends the program at once.
        command.args(["--foreground", "--kill-after=60", TIME_LIMIT, "chroot"]);
        command.arg(format!("--userspec={USER}:{USER}")).arg(self.root.path()).arg("/usr/bin/meterhouse");
        command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs(&self.variables);
        command
    }

    /// The effective configuration.
    pub(crate) fn check_config(&self) -> Result<toml::Table> {
        let output = self.command(&["check-config"]).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && errors.is_empty(), "{:?}: {errors}", self.arguments);
        String::from_utf8(output.stdout)?.parse().context("the configuration")
    }

    /// An address of the configuration.
    pub(crate) fn port(&self, section: &str) -> Result<u64> {
        let config = self.check_config()?;
        let listen = config[section]["listen"].as_str().context("no address")?;
        listen.rsplit_once(':').context("no port")?.1.parse().context("no port")
    }
}

/// The folder that `deploy/image/root.sh` makes of the program under test; once for all tests.
fn image() -> Result<&'static Path> {
    static IMAGE: OnceLock<Result<PathBuf>> = OnceLock::new();
    let made = IMAGE.get_or_init(|| {
        let image = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image");
        if image.exists() {
            fs::remove_dir_all(&image)?;
        }
        let program = meterhouse_tests::meterhouse()?;
        run_well(Command::new("sh").arg(file("deploy/image/root.sh")).arg(program).arg(&image))?;
        Ok(image)
    });
    made.as_deref().map_err(|error| anyhow::anyhow!("{error:#}"))
}
