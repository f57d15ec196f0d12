import { readFile, writeFile } from 'node:fs/promises';

/*
 * A part of a page that a command writes: between `<!-- name:begin -->` and `<!-- name:end -->`. What people wrote
 * around it stays.
 */

export async function writeSection(path: string, name: string, markdown: string): Promise<void> {
  const page = await readFile(path, 'utf8').catch(() => '');
  await writeFile(path, withSection(page, name, markdown));
}

export function withSection(page: string, name: string, markdown: string): string {
  const begin = `<!-- ${name}:begin -->`;
  const end = `<!-- ${name}:end -->`;
  const from = page.indexOf(begin);
  const until = page.indexOf(end);
  const section = `${begin}\n\n${markdown.trim()}\n\n${end}`;
  if (from < 0 || until < from) return `${page.trimEnd()}\n\n${section}\n`.trimStart();
  return page.slice(0, from) + section + page.slice(until + end.length);
}
