import { readFileSync } from "node:fs";
import { errors, jwtVerify } from "jose";

const verdicts = [];
for (const [token, key] of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(key), { algorithms: ["HS256"] });
    verdicts.push({ claims: payload });
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    verdicts.push({ refused: error.code });
  }
}
console.log(JSON.stringify(verdicts));
