/** The page itself: one file that needs nothing else. The model is data in it, the script reads and draws it. */
import type { ViewModel } from './model.js';

/** What `npm run build` makes of web/view. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** Names in a model come from anybody's checkpoint: no text of theirs may end the script or open a comment in it. */
const embedded = (model: ViewModel): string => JSON.stringify(model).replace(/</g, '\\u003c');

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`).replace(/[\p{Cc}\p{Cf}]/gu, ' ');

/** The bundle is our own; this only keeps it from ending its element. */
const inScript = (script: string): string =>
  script.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\!--');

export const viewPage = (model: ViewModel, { script, style }: PageAssets): string =>
  [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // Nothing is fetched, whatever a name in the model says.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">`,
    `<title>${escapeHtml(`${model.name} - kanc view`)}</title>`,
    `<style>\n${style}\n</style>`,
    '</head>',
    '<body>',
    '<div id="app"></div>',
    '<noscript>This page draws its content with JavaScript.</noscript>',
    `<script type="application/json" id="model">${embedded(model)}</script>`,
    `<script>\n${inScript(script)}\n</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
