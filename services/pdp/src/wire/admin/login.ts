import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type GetLoginRequest,
  type GetLoginResponse,
  GetLoginResponseSchema,
  type WhoAmIRequest,
  type WhoAmIResponse,
  WhoAmIResponseSchema,
} from "@remit/proto/login";
import type { Clock } from "../../foundation/clock.ts";
import { Fault } from "../../foundation/fault.ts";
import { limits } from "../../foundation/limits.ts";
import { fullBucket, perSecond, takeToken } from "../../foundation/token-bucket.ts";
import { type Caller, FIRST_TENANT } from "../../identities/index.ts";
import type { Unary } from "../call.ts";
import { storedText } from "../convert/fields.ts";
import type { AdminDesk } from "./desk.ts";

/** `LoginService`. */
export interface LoginRpcs {
  readonly getLogin: Unary<GetLoginRequest, GetLoginResponse>;
  readonly whoAmI: Unary<WhoAmIRequest, WhoAmIResponse>;
}

// What a command line asks for; one that its issuer does not know is left out there.
const SCOPES = ["openid", "profile", "email", "groups", "offline_access"];

function whoIs({ id, tenant, name, roles, agents, mayAssertPrincipals, proof, word }: Caller) {
  return {
    ...{ tenant, callerId: id, name, kind: proof?.kind ?? "key", mayAssertPrincipals },
    ...{ roles: [...roles], agents: [...agents] },
    ...(proof && {
      proof: {
        ...{ source: word?.source ?? "", issuer: proof.issuer, subject: proof.subject },
        ...{ groups: [...(word?.groups ?? [])], bindings: [...(word?.bindings ?? [])] },
        ...(word?.expiresAtMs !== undefined && { expiresAt: timestampFromMs(word.expiresAtMs) }),
      },
    }),
  };
}

/** `uptime` is monotonic. Anybody may ask where to log in, so all together are bounded. */
export function loginRpcs(desk: Pick<AdminDesk, "identities" | "caller">, uptime: Clock): LoginRpcs {
  const rate = perSecond(limits.loginQuestionsPerSecondMax);
  const bucket = fullBucket(rate, uptime.now());
  return {
    async getLogin(request) {
      if (takeToken(bucket, rate, uptime.now()) > 0) {
        throw new Fault("exhausted", "overloaded", "too many ask where to log in", {
          limit: `${rate.perSecond} a second`,
          fix: "ask again later",
        });
      }
      const tenant = storedText(request.tenant, "tenant", limits.nameBytesMax) || FIRST_TENANT;
      const issuers = await desk.identities.peopleOf(tenant);
      return create(GetLoginResponseSchema, {
        issuers: issuers.map(({ name, issuer, audiences }) => ({
          ...{ name, issuer, scopes: SCOPES },
          // With several a person says which: none of them is more right than another.
          clientId: audiences.length === 1 ? (audiences[0] ?? "") : "",
        })),
      });
    },
    whoAmI: async (_request, call) => create(WhoAmIResponseSchema, whoIs(desk.caller(call))),
  };
}
