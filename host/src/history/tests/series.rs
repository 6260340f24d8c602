//! Series over time: the calendar's buckets, gaps, growth, and the day on which a limit is reached.

use super::*;

/// Keeps a value of `a.x` so many days after the first; `None` for a run that did not measure it.
fn measured(store: &Store, values: &[(i64, Option<f64>)], bound: Option<f64>) {
    for &(day, value) in values {
        let measure =
            |value| Measure { series: "a.x".to_owned(), value, unit: "endpoints".to_owned(), bound };
        let kept = Kept { measures: value.map(measure).into_iter().collect(), ..Kept::default() };
        store.record(&run_with(day, &[]), &kept).unwrap();
    }
}

fn trend(store: &Store, every: Option<Every>) -> Trend {
    store.trend("a.x", Timestamp::MIN, every, None).unwrap().unwrap()
}

fn values(trend: &Trend) -> Vec<Option<f64>> {
    trend.buckets.iter().map(|bucket| bucket.value).collect()
}

#[test]
fn a_week_without_a_value_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    measured(
        &store,
        &[(0, Some(1.0)), (7, Some(2.0)), (14, None), (21, Some(4.0)), (22, Some(5.0)), (29, Some(6.0))],
        None,
    );
    let weekly = trend(&store, None);
    assert_eq!((weekly.every, weekly.unit.as_str()), (Every::Week, "endpoints"));
    assert_eq!(
        values(&weekly),
        [Some(1.0), Some(2.0), None, Some(5.0), Some(6.0)],
        "the last of a week counts"
    );
    assert_eq!(weekly.buckets[0].from.to_string(), "2026-06-29T00:00:00Z", "a Monday");
    assert_eq!((weekly.median, weekly.bound, weekly.reaches_bound), (3.5, None, None));
    let by_run = trend(&store, Some(Every::Run));
    assert_eq!(values(&by_run), [Some(1.0), Some(2.0), None, Some(4.0), Some(5.0), Some(6.0)]);
    assert_eq!(by_run.buckets[2].run, Some(3), "the run is there, its value is not");
    assert_eq!(trend(&store, Some(Every::Day)).buckets.len(), 30);
    assert_eq!(values(&trend(&store, Some(Every::Month))), [Some(1.0), Some(6.0)]);
    let late = store.trend("a.x", now() + days(20), None, None).unwrap().unwrap();
    assert_eq!(values(&late), [Some(5.0), Some(6.0)]);
    assert_eq!(store.trend("a.x", now() + days(40), None, None).unwrap(), None);
    assert_eq!(store.trend("a.y", Timestamp::MIN, None, None).unwrap(), None);
}

#[test]
fn the_day_is_told_on_which_a_limit_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let growing: Vec<(i64, Option<f64>)> =
        (0..6).map(|week| (7 * week, Some(900.0 + 10.0 * week as f64))).collect();
    measured(&store, &growing, Some(1000.0));
    let told = trend(&store, None);
    assert_eq!((told.bound, told.weekly_growth.map(f64::round)), (Some(1000.0), Some(10.0)));
    assert_eq!(told.reaches_bound, Some(now() + days(70)));
    let never = store.trend("a.x", Timestamp::MIN, None, Some(800.0)).unwrap().unwrap();
    assert_eq!((never.bound, never.reaches_bound), (Some(800.0), None));
}

#[test]
fn all_series_are_listed_with_those_that_follow_from_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    assert_eq!(store.metrics().unwrap(), []);
    measured(&store, &[(0, Some(1.0)), (1, Some(3.0))], None);
    store.record(&run_with(2, &["1", "2"]), &Kept::default()).unwrap();
    let metrics = store.metrics().unwrap();
    let of = |name: &str| {
        let one = metrics.iter().find(|one| one.metric == name).unwrap();
        (one.values, one.last, one.last_at)
    };
    assert_eq!(of("a.x"), (2, 3.0, now() + days(1)));
    assert_eq!(of("run.findings.high"), (3, 2.0, now() + days(2)));
    assert_eq!(of("run.decided"), (3, 100.0, now() + days(2)));
    assert!(metrics.is_sorted_by(|left, right| left.metric < right.metric));
    let findings = store.trend("run.findings", Timestamp::MIN, Some(Every::Run), None).unwrap().unwrap();
    assert_eq!(values(&findings), [Some(0.0), Some(0.0), Some(2.0)]);
    let elsewhere = Store::open(folder.path(), "elsewhere").unwrap();
    assert_eq!(elsewhere.metrics().unwrap(), []);
}

#[test]
fn runs_of_one_moment_lose_no_value_and_judges_see_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder));
    measured(&store, &[(0, Some(1.0)), (0, Some(2.0))], None);
    assert_eq!(store.metrics().unwrap()[0].values, 2);
    let points = Here::new(Ok(store), now()).points("a.x", now()).unwrap();
    assert_eq!(points.iter().map(|point| point.value).collect::<Vec<_>>(), [2.0]);
}
