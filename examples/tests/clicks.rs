//! What the program `click_count` has written.

use std::collections::BTreeMap;
use std::path::Path;

/// All pages, sorted.
pub(crate) const PAGES: [&str; 6] = ["/about", "/help", "/index", "/jobs", "/news", "/shop"];

/// The counts in all files that are visible, with window and page.
pub(crate) fn clicks(folder: &Path) -> Vec<(i64, String, u64)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let files = entries.map(|entry| entry.unwrap().path());
    let visible = files.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    let texts: Vec<String> = visible.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let read = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let window = line["window_start"].as_i64().unwrap();
        (window, line["page"].as_str().unwrap().to_owned(), line["count"].as_u64().unwrap())
    };
    let mut clicks: Vec<_> = texts.iter().flat_map(|text| text.lines()).map(read).collect();
    clicks.sort();
    clicks
}

/// The pages of each window, sorted. Each has been counted whole.
pub(crate) fn pages(folder: &Path) -> BTreeMap<i64, Vec<String>> {
    let mut pages: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for (window, page, count) in clicks(folder) {
        assert_eq!(count, 1_000, "{page} at {window}");
        pages.entry(window).or_default().push(page);
    }
    pages
}
