// The page of `prognet deploy web` begins.
import { AskApp } from './ask-app.js';
import { AskPage } from './ask-page.js';
import { begin } from './begin.js';

const page = new AskPage();
begin(<AskApp page={page} />);
void page.start();
