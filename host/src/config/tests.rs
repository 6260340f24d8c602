//! What a configuration may say, and the exact words about what it may not.

use super::*;
use serde_json::json;
use std::path::Path;
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::{Cadence, Check, Input, Plugin, Setting, Source};

const STALE: Setting =
    Setting::integer("stale_days", 30, 1, 365).unit("days").about("Days without a run.").from_guide();
const OWNER: Setting = Setting::text("owner", None).about("Who owns the module.");
const STRICT: Setting = Setting::flag("strict", false);
const MODE: Setting = Setting::choice("mode", Some("soft"), &["soft", "hard"]);
const GROUPS: Setting = Setting::list("groups", &["All Computers"]);
const HOSTS: Setting = Setting::table("hosts");
const LICENSE: Input =
    Input::new("sample.license", "The licence").sources(&[Source::rest("/api/v2/license")]);
const CHECK: Check = Check::automated("sample.licensed")
    .cadence(&[Cadence::Weekly])
    .reads(&[&LICENSE])
    .settings(&[&STALE, &OWNER, &STRICT, &MODE, &GROUPS, &HOSTS]);
const SAMPLE: Plugin = Plugin::new("sample", "Sample", "0.1.0").checks(&[&CHECK]);

struct Site {
    folder: tempfile::TempDir,
    around: Surroundings,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let around = Surroundings {
            variables: [("HOME".to_owned(), folder.path().join("home").display().to_string())].into(),
            is_root: false,
            binary_folder: None,
            root: folder.path().to_owned(),
        };
        Self { folder, around }
    }

    fn with(text: &str) -> Self {
        let site = Self::new();
        site.write("etc/tancheck/tancheck.toml", text);
        site
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.around.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load_with(&self, set: &[(&str, &str)]) -> Result<Layers, ConfigError> {
        let set = set.iter().map(|(key, value)| Assignment {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            flag: format!("--set {key}"),
        });
        Layers::load_in(&Flags { config: None, set: set.collect() }, &self.around)
    }

    fn load(&self) -> Result<Layers, ConfigError> {
        self.load_with(&[])
    }

    /// What is wrong with a file, together with what the plugin `sample` says about it.
    fn wrong(text: &str) -> String {
        let site = Self::with(text);
        let manifest = Manifest::of(&SAMPLE);
        let error = match site.load() {
            Err(error) => error,
            Ok(layers) => match layers.check(&[&manifest], &["refused"]) {
                Err(error) => error,
                Ok(()) => layers.config(&[&manifest]).expect_err("something is wrong with it"),
            },
        };
        site.scrub(&error.to_string())
    }

    fn scrub(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "").replace("/etc/tancheck/", "")
    }
}

const SIX_LINES: &str = r#"[deployment]
url = "https://tanium.example.com"
token_file = "token"
[modules]
enable = ["sample"]
[modules.sample]
stale_days = 7
"#;

#[test]
fn six_lines_are_enough() {
    let site = Site::with(SIX_LINES);
    let manifest = Manifest::of(&SAMPLE);
    let layers = site.load().unwrap();
    layers.check(&[&manifest], &[]).unwrap();
    let config = layers.config(&[&manifest]).unwrap();
    assert_eq!(config.deployment.url.as_str(), "https://tanium.example.com/");
    assert_eq!(config.deployment.id, "tanium.example.com");
    assert!(config.deployment.questions);
    let token = site.folder.path().join("etc/tancheck/token");
    assert!(matches!(config.deployment.auth, Auth::Token(SecretSource::File(path)) if path == token));
    assert_eq!(config.modules.enable, Some(vec!["sample".to_owned()]));
    assert_eq!(config.modules.settings["sample"], *json!({"stale_days": 7}).as_object().unwrap());
    assert_eq!(config.limits.calls_in_flight, Limits::default().calls_in_flight);
    assert_eq!(config.places.state, site.folder.path().join("home/.local/state/tancheck"));
}

#[test]
fn everything_that_can_be_said() {
    let site = Site::with(
        r#"
[deployment]
url = "https://tanium.example.com:8443/"
id = "production"
ca_file = "/etc/ssl/own.pem"
questions = false
login = { user = "health", domain = "example", password_command = ["pass", "show", "tanium"] }
[modules]
enable = "licensed"
[limits]
questions_in_flight = 2
calls_in_flight = 3
total_calls = 400
response_bytes = "256MiB"
total_bytes = 5_000_000_000
request_timeout = "90s"
question_timeout = "15m"
retries = 0
complete_share = 0.99
worker_memory = "1GiB"
check_time = "500ms"
allow_weak_sandbox = true
[places]
plugins = ["plugins", "/opt/plugins"]
exports = "/srv/exports"
state = "/srv/state"
cache = "/srv/cache"
[inputs."sample.license"]
service = "sample"
path = "/v1/license"
rows = "/data/rows"
[calendar]
time_zone = "Europe/Berlin"
soon_days = 14
weekly = { anchor = "tuesday", grace_days = 1 }
quarterly.anchor = "02-15"
[calendar.tasks.appliance]
off = "there is no appliance"
[calendar.tasks."sample.license-expired"]
cadence = "quarterly"
anchor = 31
grace_days = 3
second_person = true
renewed_by = ["sample.other"]
[owners]
"*" = "operations"
"sample.license-expired" = ["ann", "bob"]
[reasons]
"limits.retries" = "the proxy retries by itself"
"#,
    );
    let config = site.load().unwrap().config(&[]).unwrap();
    insta::assert_snapshot!(site.scrub(&format!("{config:#?}")));
}

#[test]
fn flags_beat_variables_beat_the_file_beats_defaults() {
    let retries = |layers: &Layers| layers.limits().retries;
    let site = Site::with("[limits]\nretries = 1\n");
    assert_eq!(retries(&Site::new().load().unwrap()), Limits::default().retries);
    assert_eq!(retries(&site.load().unwrap()), 1);
    let site = site.variable("TANCHECK_LIMITS__RETRIES", "2");
    assert_eq!(retries(&site.load().unwrap()), 2);
    let layers = site.load_with(&[("limits.retries", "3")]).unwrap();
    assert_eq!(retries(&layers), 3);
    let explanation = layers.explain(Some("limits.retries"), &[]).unwrap().remove(0);
    assert_eq!((explanation.value, explanation.from.as_str()), (json!(3), "flag"));
    let overruled: Vec<String> = explanation.overrules.iter().map(|place| site.scrub(place)).collect();
    assert_eq!(overruled, ["variable TANCHECK_LIMITS__RETRIES", "tancheck.toml:2:11"]);
}

#[test]
fn a_stronger_source_of_the_token_replaces_a_weaker_one() {
    let site = Site::with(SIX_LINES).variable("TANCHECK_DEPLOYMENT__TOKEN_ENV", "MY_TOKEN");
    let auth = site.load().unwrap().auth().unwrap();
    assert!(matches!(auth, Auth::Token(SecretSource::Env(name)) if name == "MY_TOKEN"));
    let fd = site.load_with(&[("deployment.token_fd", "3")]).unwrap().auth().unwrap();
    assert!(matches!(fd, Auth::Token(SecretSource::Fd(3))));
}

#[test]
fn settings_of_plugins_from_the_environment_have_the_types_of_the_manifest() {
    let site = Site::with(SIX_LINES)
        .variable("TANCHECK_MODULES__SAMPLE__STALE_DAYS", "9")
        .variable("TANCHECK_MODULES__SAMPLE__STRICT", "yes")
        .variable("TANCHECK_MODULES__SAMPLE__GROUPS", "Servers, Laptops")
        .variable("TANCHECK_MODULES__SAMPLE__HOSTS", r#"{"https": ["a"]}"#);
    let manifest = Manifest::of(&SAMPLE);
    let layers = site.load().unwrap();
    layers.check(&[&manifest], &[]).unwrap();
    let set = layers.settings(&manifest);
    let expected =
        json!({"stale_days": 9, "strict": true, "groups": ["Servers", "Laptops"], "hosts": {"https": ["a"]}});
    assert_eq!(json!(set), expected);
    let resolved = settings::resolved(&manifest, &set);
    assert_eq!(resolved["mode"], "soft");
    assert!(!resolved.contains_key("owner"), "a setting without default stays away");
}

#[test]
fn the_users_own_file_comes_before_the_systems() {
    let site = Site::with("[limits]\nretries = 1\n");
    site.write("home/.config/tancheck/tancheck.toml", "[limits]\nretries = 2\n");
    assert_eq!(site.load().unwrap().limits().retries, 2);
    let other = site.folder.path().join("other.toml");
    site.write("other.toml", "[limits]\nretries = 3\n");
    let site = site.variable("TANCHECK_CONFIG", &other.display().to_string());
    assert_eq!(site.load().unwrap().limits().retries, 3);
    let named = Flags { config: Some(site.folder.path().join("none.toml")), set: Vec::new() };
    let error = Layers::load_in(&named, &site.around).unwrap_err().to_string();
    assert!(error.ends_with("none.toml: No such file or directory (os error 2)"), "{error}");
}

#[test]
fn root_has_the_systems_folders() {
    let mut site = Site::new();
    site.around.is_root = true;
    let places = |site: &Site| site.load().unwrap().places();
    assert_eq!(places(&site).state, site.folder.path().join("var/lib/tancheck"));
    assert_eq!(places(&site).cache, site.folder.path().join("var/cache/tancheck"));
    let site = site.variable("XDG_STATE_HOME", "/srv/state");
    assert_eq!(places(&site).exports, Path::new("/srv/state/tancheck/exports"));
}

#[test]
fn plugins_are_looked_for_beside_the_binary() {
    let mut site = Site::new();
    let folder = site.folder.path().join("usr/bin");
    site.around.binary_folder = Some(folder.clone());
    let expected = [folder.join("plugins"), site.folder.path().join("usr/lib/tancheck/plugins")];
    assert_eq!(site.load().unwrap().places().plugins, expected);
    for part in ["deps", "build"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    assert_eq!(site.load().unwrap().places().plugins.last(), Some(&folder));
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::with(SIX_LINES);
    let path = site.folder.path().join("etc/tancheck/tancheck.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(site.load().unwrap_err().to_string().contains("chmod o-w"));
}

#[test]
fn what_is_wrong_is_said_with_place_and_advice() {
    let cases = [
        "url = \"https://x\"",
        "[deployment]\nurl = \"https://x\ntoken_env = \"T\"",
        "[deployment]\nulr = \"https://x\"\ntokenfile = \"/t\"\ntoken = \"token-5ecre7\"",
        "[deployment]\nurl = \"http://x\"\ntoken_env = \"token-5ecre7\"",
        "[deployment]\nurl = \"https://user:5ecre7@x\"\ntoken_fd = \"token-5ecre7\"",
        "[deployment]\nurl = 5\ntoken_command = \"pass show token\"",
        "[deployment]\ntoken_file = \"/t\"",
        "[deployment]\nurl = \"https://x\"",
        "[deployment]\nurl = \"https://x\"\ntoken_file = \"/t\"\ntoken_env = \"T\"",
        "[deployment]\nurl = \"https://x\"\nlogin.password_file = \"/t\"",
        "[deployment]\nurl = \"https://x\"\nlogin.user = \"me\"",
        "[limits]\nretries = 99\nrequest_timeout = 60\nquestion_timeout = \"1s\"\ncomplete_share = 95",
        "[limits]\nresponse_bytes = \"1KiB\"\nallow_weak_sandbox = \"yes\"\nretrys = 3",
        "[limit]\nretries = 3",
        "deployment = \"https://x\"",
        "[modules]\nenable = [\"sampel\", \"refused\"]\nenabled = true\n",
        "[modules]\nenable = [\"sampel\", \"refused\"]\n[modules.refused]\nanything = 1\n[modules.conect]\n",
        "[modules]\nenable = \"license\"",
        "[modules.sample]\nstale_day = 3\nstale_days = 0\nstrict = \"no\"\nmode = \"medium\"\ngroups = \"a\"\nhosts = { a = 1 }\nowner = [\"a\"]",
        "[inputs.\"sample.licence\"]\npath = \"/api/v2/license\"",
        "[inputs.\"sample.license\"]\nservice = \"a/b\"\npath = \"/x\"",
        "[inputs.\"sample.license\"]\npath = \"/v1/x\"",
        "[inputs.\"sample.license\"]\nservice = \"a\"",
        "[inputs.\"sample.license\"]\nroute = \"a\"",
        "[inputs.sample.license]\npath = \"a\"",
        "[limits]\nretries = 99999999999999999999",
        "[calendar]\ntime_zone = \"Europe/Atlantis\"\nweekly.anchor = \"1\"\nmonthly.anchor = 32\nannual.anchor = \"02-30\"\nzone = 1",
        "[calendar.tasks]\nsampel = { cadence = \"daily\", off = true, grace = 1, grace_days = -1, renewed_by = \"x\" }",
        "[calendar.tasks]\nsample.expired = { off = \"x\" }",
        "[calendar.tasks.sample]\nanchor = \"funday\"\nrenewed_by = [\"sample.nothing\"]",
        "[owners]\nsampel = \"ann\"\nsample = []\nsample.expired = \"ann\"",
        "[reasons]\n\"limits.retrys\" = \"x\"\n\"limits.retries\" = 5",
    ];
    let mut told = String::new();
    for case in cases {
        let wrong = Site::wrong(case);
        assert!(!wrong.contains("5ecre7"), "a secret is repeated: {wrong}");
        told.push_str(&format!("{case}\n>> {}\n\n", wrong.replace('\n', "\n>> ")));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn variables_and_flags_that_nobody_knows_are_refused() {
    let site = Site::new().variable("TANCHECK_LIMITS__RETRYS", "3").variable("TANCHECK_TOKEN", "5ecre7");
    let told = site.load_with(&[("limits.retry", "3"), ("nonsense", "1"), ("limits.retries", "many")]);
    insta::assert_snapshot!(told.unwrap_err().to_string(), @r#"
    variable TANCHECK_LIMITS__RETRYS: no key has this name; did you mean "TANCHECK_LIMITS__RETRIES"?
    --set limits.retries: limits.retries is "many"; it has to be a whole number from 0 to 20
    --set limits.retry: unknown key "limits.retry"; did you mean "retries"?
    --set nonsense: unknown key "nonsense"; known are deployment, modules, limits, history, calendar, probe, places, waivers, inputs, owners, reasons
    "#);
}

#[test]
fn explain_tells_value_place_purpose_and_range() {
    let site = Site::with(&format!(
        "{SIX_LINES}[inputs.\"sample.license\"]\npath = \"/api/v2/license\"\n[deployment.login]\npassword_command = [\"pass\", \"5ecre7\"]\n"
    ));
    let manifest = Manifest::of(&SAMPLE);
    // The login is refused beside the token; the explanation of each is tried by itself.
    assert!(site.load().is_err());
    let site =
        Site::with(&SIX_LINES.replace("token_file = \"token\"", "token_command = [\"pass\", \"5ecre7\"]"));
    let layers = site.load().unwrap();
    let told = serde_json::to_string_pretty(&layers.explain(None, &[&manifest]).unwrap()).unwrap();
    assert!(!told.contains("5ecre7"));
    let some = |key| layers.explain(Some(key), &[&manifest]).unwrap();
    assert_eq!(some("limits").len(), 15);
    let told =
        serde_json::to_string_pretty(&[some("deployment.token_command"), some("modules.sample")]).unwrap();
    insta::assert_snapshot!(site.scrub(&told));
    let error = layers.explain(Some("limits.retrys"), &[&manifest]).unwrap_err().to_string();
    assert!(error.contains("did you mean \"limits.retries\"?"), "{error}");
}

#[test]
fn every_key_says_what_it_does_and_limits_have_defaults() {
    let layers = Site::new().load().unwrap();
    let is_unset = |key: &str| {
        let has_none = ["deployment.", "calendar.", "owners", "places.waivers", "reasons"]
            .iter()
            .any(|name| key.starts_with(name));
        has_none && !["deployment.questions", "calendar.time_zone", "calendar.soon_days"].contains(&key)
    };
    for one in layers.explain(None, &[]).unwrap() {
        assert!(one.about.ends_with('.') && !one.accepts.is_empty(), "{}", one.key);
        assert_eq!(one.value.is_null(), is_unset(&one.key), "{}", one.key);
    }
    assert_eq!(format!("{:?}", layers.limits()), format!("{:?}", Limits::default()));
}

#[test]
fn a_comma_in_a_path_does_not_split_it() {
    let paths = |layers: Result<Layers, ConfigError>| -> Vec<String> {
        let paths = layers.unwrap().probing().merge_evidence;
        paths.iter().map(|path| path.display().to_string()).collect()
    };
    let both = ["/run/one, two.json".to_owned(), "/run/\"3\".json".to_owned()];
    let file = "[probe]\nmerge_evidence = [\"/run/one, two.json\", '/run/\"3\".json']\n";
    assert_eq!(paths(Site::with(file).load()), both);
    let text = list_as_text(&both);
    assert_eq!(paths(Site::new().load_with(&[("probe.merge_evidence", &text)])), both);
    let variable = Site::new().variable("TANCHECK_PROBE__MERGE_EVIDENCE", &text);
    assert_eq!(paths(variable.load()), both);
    let plain = Site::new().load_with(&[("probe.merge_evidence", "/run/a.json, /run/b.json")]);
    assert_eq!(paths(plain), ["/run/a.json", "/run/b.json"]);
    // What only begins like a list is none.
    assert_eq!(paths(Site::new().load_with(&[("probe.merge_evidence", "/a/[1,/b/2]")])), ["/a/[1", "/b/2]"]);
}
