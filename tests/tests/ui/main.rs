//! The page at `/ui/` in a real browser: Debian's Chromium without a window, driven by its own driver.

mod accessible;
mod arithmetic;
mod browser;
mod history;
mod keyboard;
mod page;
mod refusals;
mod vendor;
