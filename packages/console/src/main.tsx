import { render } from 'preact';
import { App } from './app.tsx';
import { takeHandedKey } from './session/handed-key.ts';
import { applyTheme } from './session/theme.ts';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/flow.css';

const handedKey = takeHandedKey();
applyTheme();
const root = document.getElementById('app');
if (root !== null) render(<App handedKey={handedKey} />, root);
