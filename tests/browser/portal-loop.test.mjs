import { tell } from "./portal-stories.mjs";

tell("SQLite");
