//! Small file systems of a test's own, which fill up and lose their power.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::scratch_dir;

/// Ends an ext4 file system at once: what is not on the disk yet, its journal included, is gone.
const CUT: &str = "import fcntl, os, struct, sys; \
    fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";
/// A file that takes up space.
const BALLAST: &str = "ballast";
const BLOCK: usize = 64 * 1024;

/// A file system that is mounted until this is dropped.
#[derive(Debug)]
pub struct Disk {
    mount: PathBuf,
    /// The file that holds it; none in memory.
    image: Option<PathBuf>,
    _dir: TempDir,
}

impl Disk {
    /// One in memory. None: mounting is not allowed here, which is said on the standard error.
    ///
    /// # Errors
    /// Its folder cannot be made.
    pub fn in_memory(mebibytes: u32) -> Result<Option<Self>> {
        let (dir, mount) = folder()?;
        let size = format!("size={mebibytes}m");
        let mounted = run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&mount));
        Ok(or_skip(mounted).then_some(Self { mount, image: None, _dir: dir }))
    }

    /// One whose power can be cut. None: mounting is not allowed here, which is said on the standard error.
    ///
    /// # Errors
    /// Its folder or its image cannot be made.
    pub fn in_file(mebibytes: u32) -> Result<Option<Self>> {
        let (dir, mount) = folder()?;
        let image = dir.path().join("image");
        File::create(&image)?.set_len(u64::from(mebibytes) << 20)?;
        let formatted = run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image));
        let mounted = formatted.and_then(|()| mount_image(&image, &mount));
        Ok(or_skip(mounted).then_some(Self { mount, image: Some(image), _dir: dir }))
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Takes up all the space that is left.
    ///
    /// # Errors
    /// It does not fill up, but fails.
    pub fn fill(&self) -> Result<()> {
        let mut file = File::create(self.mount.join(BALLAST))?;
        let block = vec![0; BLOCK];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).context("fill a disk"),
            }
        }
    }

    /// Gives that space back.
    ///
    /// # Errors
    /// It was not filled.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.mount.join(BALLAST)).context("free a disk")
    }

    /// Everything that was written is on the disk after this.
    ///
    /// # Errors
    /// It fails.
    pub fn sync(&self) -> Result<()> {
        run(Command::new("sync").arg("-f").arg(&self.mount))
    }

    /// Cuts the power: from now on nothing reaches the disk.
    ///
    /// # Errors
    /// It is in memory.
    pub fn cut_power(&self) -> Result<()> {
        run(Command::new("python3").args(["-c", CUT]).arg(&self.mount))
    }

    /// The power is back: mounts what the disk holds. Nobody may have a file open on it.
    ///
    /// # Errors
    /// It is in use, or in memory.
    pub fn remount(&self) -> Result<()> {
        let image = self.image.as_deref().context("no image")?;
        run(Command::new("umount").arg(&self.mount))?;
        mount_image(image, &self.mount)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is still about to end does not keep it.
        let _ = run(Command::new("umount").arg("-l").arg(&self.mount));
    }
}

fn folder() -> Result<(TempDir, PathBuf)> {
    let dir = scratch_dir("disk")?;
    let mount = dir.path().join("mount");
    fs::create_dir(&mount)?;
    Ok((dir, mount))
}

fn mount_image(image: &Path, mount: &Path) -> Result<()> {
    run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(mount))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// Says why a test is skipped, past the test runner, which shows nothing of a test that passes.
fn or_skip(mounted: Result<()>) -> bool {
    if let Err(error) = &mounted {
        let _ = writeln!(io::stderr(), "SKIPPED, no file system can be mounted here: {error:#}");
    }
    mounted.is_ok()
}
