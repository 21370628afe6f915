import { tell } from "./portal-stories.mjs";

tell("PostgreSQL");
