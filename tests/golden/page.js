'use strict';
// Prints the sentences of the page for the summaries on standard input, one JSON object a line, in both languages.
const path = require('path');
const page = require(path.join(process.argv[2], 'web', 'summary', 'summary.js'));

for (const line of require('fs').readFileSync(0, 'utf8').trim().split('\n')) {
  const { name, damaged, summary } = JSON.parse(line);
  for (const lang of ['en', 'ja']) {
    console.log(`${name} ${lang}`);
    for (const say of [page.leadSentence, page.classSentence, page.toolSentence, page.protocolSentence, page.orderSentence]) {
      console.log(`  ${say(summary, lang)}`);
    }
    console.log(`  ${page.trustSentence(summary, damaged, lang)}`);
  }
}

// Both languages must have the same words: a missing one would show as "undefined".
const keys = (o, at) => (o && typeof o === 'object' ? Object.keys(o).sort().map((k) => at + k + keys(o[k], `${k}.`)).join() : '');
if (keys(page.WORDS.en, '') !== keys(page.WORDS.ja, '')) throw new Error('the languages differ in their words');
