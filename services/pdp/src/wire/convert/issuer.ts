import type { MessageInitShape } from "@bufbuild/protobuf";
import type { IssuerSchema, Issuer as WireIssuer } from "@remit/proto/admin";
import { invalid } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { quoted } from "../../foundation/quoted.ts";
import { parseStrict } from "../../foundation/strict-json.ts";
import { countValues } from "../../foundation/values.ts";
import { ALGORITHMS, type Issuer, PROFILES, USES } from "../../identities/index.ts";
import { boundedList, labelsField, storedName, storedText } from "./fields.ts";

function oneOf<Word extends string>(value: string, words: readonly Word[], field: string): Word {
  const known = words.find((word) => word === value);
  if (known !== undefined) return known;
  throw invalid(field, `${quoted(value)} is no ${field} of an issuer`, {
    fix: `choose from ${words.join(", ")}`,
  });
}

function secondsFrom(value: number, field: string, standard: number, most: number): number {
  if (value <= most) return value === 0 ? standard : value;
  throw invalid(field, `${field} may not be ${value}`, { limit: `${most} seconds` });
}

function claimsFrom({ claims }: WireIssuer): Issuer["claims"] {
  if (!claims) return {};
  const { subject, groups, labels } = claims;
  const bytesMax = limits.labelBytesMax;
  return {
    ...(subject !== "" && { subject: storedText(subject, "claims.subject", bytesMax) }),
    ...(groups !== "" && { groups: storedText(groups, "claims.groups", bytesMax) }),
    ...(Object.keys(labels).length > 0 && { labels: { ...labelsField(labels, "claims.labels") } }),
  };
}

function keysFrom({ keys }: WireIssuer): Pick<Issuer, "jwksUri" | "jwks"> {
  switch (keys.case) {
    case "jwksUri":
      return { jwksUri: storedName(keys.value, "jwks_uri", limits.purposeBytesMax), jwks: undefined };
    case "jwks": {
      const text = storedName(keys.value, "jwks", limits.issuerDocumentBytesMax);
      const bytes = Buffer.from(text);
      if (countValues(bytes, limits.issuerDocumentValuesMax) > limits.issuerDocumentValuesMax) {
        throw invalid("jwks", `jwks has more than ${limits.issuerDocumentValuesMax} values`, {
          limit: `issuerDocumentValuesMax: ${limits.issuerDocumentValuesMax} members and items, at all depths`,
          fix: "send the keys alone that are in use",
        });
      }
      return { jwksUri: undefined, jwks: parseStrict(bytes, "jwks").value };
    }
    default:
      return { jwksUri: undefined, jwks: undefined };
  }
}

/** An issuer as it was asked for, complete, checked for its form. */
export function issuerFrom(tenant: string, wire: WireIssuer): Issuer {
  const audiences = boundedList(wire.audiences, "audiences", limits.issuerAudiencesMax).map((audience, at) =>
    storedName(audience, `audiences[${at}]`, limits.subjectBytesMax),
  );
  const algorithms = boundedList(wire.algorithms, "algorithms", ALGORITHMS.length).map((name, at) =>
    oneOf(name, ALGORITHMS, `algorithms[${at}]`),
  );
  const { tokenSecondsMax, sessionSecondsMax } = wire;
  const use = oneOf(wire.use, USES, "use");
  const ofPeople = use === "people";
  const tokenMost = ofPeople ? limits.personTokenSecondsMax : limits.issuerTokenSecondsMax;
  const tokenDefault = ofPeople ? limits.personTokenSecondsDefault : tokenMost;
  const sessionMost = limits.sessionLifetimeMaxSeconds;
  return {
    tenant,
    name: storedName(wire.name, "name", limits.nameBytesMax),
    profile: oneOf(wire.profile, PROFILES, "profile"),
    use,
    issuer: storedName(wire.issuer, "issuer", limits.subjectBytesMax),
    audiences: [...new Set(audiences)].sort(),
    ...keysFrom(wire),
    algorithms: algorithms.length === 0 ? [...ALGORITHMS] : [...new Set(algorithms)],
    claims: claimsFrom(wire),
    tokenSecondsMax: secondsFrom(tokenSecondsMax, "token_seconds_max", tokenDefault, tokenMost),
    sessionSecondsMax: secondsFrom(
      sessionSecondsMax,
      "session_seconds_max",
      limits.sessionLifetimeDefaultSeconds,
      sessionMost,
    ),
    principalPrefix: storedText(wire.principalPrefix, "principal_prefix", limits.nameBytesMax / 2),
  };
}

export function issuerToWire(issuer: Issuer): MessageInitShape<typeof IssuerSchema> {
  const { name, profile, use, audiences, jwksUri, jwks, algorithms, claims } = issuer;
  const { tokenSecondsMax, sessionSecondsMax, principalPrefix } = issuer;
  const keys =
    jwksUri !== undefined
      ? ({ case: "jwksUri", value: jwksUri } as const)
      : jwks && ({ case: "jwks", value: JSON.stringify(jwks) } as const);
  return {
    ...{ name, profile, use, issuer: issuer.issuer, audiences: [...audiences], algorithms: [...algorithms] },
    ...(keys && { keys }),
    claims: { ...claims, labels: { ...claims.labels } },
    ...{ tokenSecondsMax, sessionSecondsMax, principalPrefix },
  };
}
