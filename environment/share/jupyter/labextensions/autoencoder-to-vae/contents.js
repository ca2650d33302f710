// Show the table of contents, not the files, when JupyterLab starts for the first time.
// No setting does this. Afterwards the reader's own layout counts, as always.
// Written by hand in the form that JupyterLab loads: no build, no dependencies.
(globalThis._JUPYTERLAB ??= {})["autoencoder-to-vae"] = {
  init() {},
  get: async () => () => ({
    default: {
      id: "autoencoder-to-vae:contents",
      autoStart: true,
      async activate({ commands, restored, shell }) {
        await restored; // the file browser has opened by then
        const { fresh } = await shell.restored;
        if (fresh && shell.mode !== "single-document") commands.execute("toc:show-panel");
      },
    },
  }),
};
