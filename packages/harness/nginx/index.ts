/*
 * A real nginx for tests, with the very snippets of deploy/nginx in front of a node.
 */
export { type FoundNginx, findNginx } from './find-nginx.ts';
export { type Nginx, type NginxOptions, startNginx } from './start-nginx.ts';
