// The script of every page. The pages are complete without it; it only adds comfort.

import { enableCopying } from "./copy.js";
import { localizeTimes } from "./localtime.js";

localizeTimes(document, { locales: navigator.languages });
enableCopying(document, navigator.clipboard);
