/**
 * Actions that workflows use, each by its commit: a tag can be moved to other code, a commit can't. Commit and version of each
 * were found side by side (`…@<commit> # <version>`) in workflows of several public repositories that have nothing to do with
 * each other. To renew one: look its new version up in its own repository, and change both.
 */

interface Action {
  readonly name: string;
  readonly commit: string;
  readonly version: string;
}

export const ACTIONS = {
  checkout: { name: 'actions/checkout', commit: 'de0fac2e4500dabe0009e67214ff5f5447ce83dd', version: 'v6.0.2' },
  setupNode: { name: 'actions/setup-node', commit: '6044e13b5dc448c55e2357c09f80417699197238', version: 'v6.2.0' },
  // Upload and download of the same time: one reads what the other writes.
  upload: { name: 'actions/upload-artifact', commit: 'b7c566a772e6b6bfb58ed0dc250532a479d7789f', version: 'v6.0.0' },
  download: { name: 'actions/download-artifact', commit: '37930b1c2abaa49bbe596cd826c3c89aef350131', version: 'v7.0.0' },
  credentials: {
    name: 'aws-actions/configure-aws-credentials',
    commit: '8df5847569e6427dd6c4fb1cf565c83acfa8afa7',
    version: 'v6.0.0',
  },
} as const satisfies Record<string, Action>;

/** What stands after `uses:`. */
export const usesOf = (action: keyof typeof ACTIONS): string => `${ACTIONS[action].name}@${ACTIONS[action].commit}`;
