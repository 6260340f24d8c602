//! What a command knows before it asks anybody: the configuration, and the plugins on this machine.

use super::global::Global;
use super::stop::Stop;
use crate::config::Layers;
use crate::hint::hint;
use crate::plugins::{Catalog, Installed};
use tancheck_plugin_api::manifest::{Check, Manifest};

/// The configuration and the plugins.
#[derive(Debug)]
pub(crate) struct Site {
    /// What was said about the configuration.
    pub(crate) layers: Layers,
    /// The plugins.
    pub(crate) catalog: Catalog,
}

impl Site {
    /// Reads both, and checks what the configuration says about plugins.
    pub(crate) async fn load(global: &Global) -> Result<Self, Stop> {
        let site = Self::unchecked(global.layers()?).await;
        site.layers.check(&site.manifests(), &site.refused())?;
        Ok(site)
    }

    /// [`Site::load`] for commands that wait for nothing else.
    pub(crate) fn open(global: &Global) -> Result<Self, Stop> {
        super::runtime()?.block_on(Self::load(global))
    }

    /// The plugins beside a configuration that may say wrong things about them.
    pub(crate) async fn unchecked(layers: Layers) -> Self {
        let catalog = Catalog::open(&layers.places(), &layers.limits()).await;
        Self { layers, catalog }
    }

    /// The manifests of the plugins that can be used.
    pub(crate) fn manifests(&self) -> Vec<&Manifest> {
        self.catalog.installed.iter().map(|one| &one.manifest).collect()
    }

    /// The ids of plugins that are there and cannot be used.
    pub(crate) fn refused(&self) -> Vec<&str> {
        self.catalog.refused.iter().filter_map(|refusal| refusal.id.as_deref()).collect()
    }

    /// The plugins that the configuration enables; all of them where that depends on the licence.
    pub(crate) fn enabled(&self) -> Vec<&Installed> {
        let named = self.layers.enabled();
        let is_enabled = |one: &&Installed| named.is_none_or(|ids| ids.contains(&one.manifest.id));
        self.catalog.installed.iter().filter(is_enabled).collect()
    }

    /// The plugin with this id.
    pub(crate) fn plugin(&self, id: &str) -> Result<&Installed, Stop> {
        self.catalog.find(id).ok_or_else(|| {
            let ids = self.catalog.installed.iter().map(|one| one.manifest.id.as_str());
            Stop::Usage(
                self.refusal_of(id).unwrap_or_else(|| format!("there is no plugin {id:?}{}", hint(id, ids))),
            )
        })
    }

    /// The check with this id or earlier id, and its plugin.
    pub(crate) fn check(&self, id: &str) -> Result<(&Installed, &Check), Stop> {
        let found = self.catalog.installed.iter().find_map(|one| Some((one, one.manifest.check(id)?)));
        found.ok_or_else(|| {
            let plugin = id.split('.').next().unwrap_or_default();
            let ids: Vec<&str> = self.checks().map(|(_, check)| check.id.as_str()).collect();
            Stop::Usage(self.refusal_of(plugin).unwrap_or_else(|| {
                format!("there is no check {id:?}{}; \"tancheck checks list\" shows all", hint(id, ids))
            }))
        })
    }

    /// Every check of every plugin, in the order of ids of plugins.
    pub(crate) fn checks(&self) -> impl Iterator<Item = (&Installed, &Check)> {
        self.catalog
            .installed
            .iter()
            .flat_map(|one| one.manifest.checks.iter().map(move |check| (one, check)))
    }

    fn refusal_of(&self, plugin: &str) -> Option<String> {
        let refusal = self.catalog.refused.iter().find(|refusal| refusal.id.as_deref() == Some(plugin))?;
        Some(format!("the plugin {plugin} is not used: {}: {}", refusal.path.display(), refusal.reason))
    }
}
