// Show the table of contents, not the files, when JupyterLab starts for the first time.
// No setting does this. Afterwards the reader's own layout counts, as always.
// Written by hand in the form that JupyterLab loads: no build, no dependencies.
(globalThis._JUPYTERLAB ??= {})["autoencoder-to-vae"] = {
  init() {},
  get: async () => () => ({
    __esModule: true, // or JupyterLab takes the whole object for the plugin
    default: {
      id: "autoencoder-to-vae:contents",
      autoStart: true,
      // Nothing is awaited here: JupyterLab restores its layout when every plugin is activated.
      activate({ commands, restored, shell }) {
        restored // the file browser has opened by then
          .then(() => shell.restored)
          .then(({ fresh }) => {
            if (fresh && shell.mode !== "single-document") commands.execute("toc:show-panel");
          });
      },
    },
  }),
};
