//! What `deploy/` says is valid, is what the program understands, and works: image, Docker Compose, Kubernetes, systemd.
//!
//! There is no container engine and no cluster here. A container is a folder that `deploy/image/root.sh` has made, entered with
//! `chroot` as the image's user, with the variables, files and arguments of its manifest: what it lacks there, it would lack in a
//! container. Validators are the published ones, and each has to find a mistake that is made on purpose.

mod compose;
mod container;
mod image;
mod kubernetes;
mod manifest;
mod pods;
mod process;
mod stack;
mod systemd;
mod tools;
