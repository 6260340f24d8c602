//! What every request passes: the log, the latency, the behaviours, the session, the privilege, the route.

use super::{Broken, LabBody};
use crate::areas;
use crate::behaviour::{Behaviour, Verdict};
use crate::core::Core;
use crate::log::LoggedRequest;
use crate::session::Caller;
use crate::wire::route::parse_query;
use crate::wire::{Answer, Body, Call, Need, Options, Refusal, Reply};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use serde_json::Value;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// No request of the real API is larger.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Answers one request, or breaks its connection.
pub(super) async fn answer(
    core: &Arc<Core>,
    request: Request<Incoming>,
) -> Result<Response<LabBody>, Broken> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let header =
        |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (session, options) = (header("session"), header("tanium-options"));
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Ok(respond(Refusal::new(413, "the request is too large").into_reply()));
        }
        Err(_) => return Err(Broken),
    };
    let number = core.log.add(LoggedRequest::new(parts.method.as_str(), &path, &query, &options, &body));
    tokio::time::sleep(core.config.latency).await;

    let verdict = core.behaviours.judge(&path);
    if let Verdict::Do(Behaviour::Slow(time)) = &verdict {
        tokio::time::sleep(*time).await;
    }
    while core.behaviours.holds(&path) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let reply = match instead(&verdict, &session, &body)? {
        Some(reply) => reply,
        None => {
            let (core, method) = (Arc::clone(core), parts.method.as_str().to_owned());
            // Routes compute; the runtime's own threads are for waiting.
            let work = tokio::task::spawn_blocking(move || {
                route(&core, &method, &path, &query, &session, &options, body)
                    .unwrap_or_else(Refusal::into_reply)
            });
            work.await.map_err(|_| Broken)?
        }
    };
    core.log.answered(number, reply.status);
    Ok(spoil(&verdict, reply))
}

/// The whole answer of behaviours that do not let the request through.
fn instead(verdict: &Verdict, session: &str, body: &[u8]) -> Result<Option<Reply>, Broken> {
    let Verdict::Do(behaviour) = verdict else { return Ok(None) };
    let status = |status: u16, text: &str, retry_after: Option<u64>| {
        let mut reply = Refusal::new(status, text).into_reply();
        reply.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        Some(reply)
    };
    Ok(match behaviour {
        Behaviour::Status(code, after) => {
            status(*code, "the lab was told to answer with this status", *after)
        }
        Behaviour::Flaky(_) => status(503, "Service Unavailable", None),
        Behaviour::RateLimit(_) => status(429, "Too Many Requests", Some(1)),
        Behaviour::Unauthorized => status(401, "Unauthorized", None),
        Behaviour::Echo => {
            let text = format!("no answer to {session} {}", String::from_utf8_lossy(body));
            status(503, &text, None)
        }
        Behaviour::SensorNotFound(_) => {
            Some(Refusal::not_found("SensorNotFound", "The requested sensor was not found").into_reply())
        }
        Behaviour::Html => Some(Reply::text(
            "text/html; charset=utf-8",
            "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Sign in to continue</form></body></html>",
        )),
        Behaviour::RedirectTo(url) => Some(Reply {
            status: 302,
            headers: vec![("location", url.clone())],
            ..Reply::text("text/plain", "")
        }),
        Behaviour::Malformed => Some(Reply::text(
            "application/json; charset=utf-8",
            "{\"data\":[{\"id\":1,\"name\":\"unfinished}",
        )),
        Behaviour::Reset | Behaviour::CutOffAfter(_) => return Err(Broken),
        Behaviour::Slow(_)
        | Behaviour::Held
        | Behaviour::Truncated
        | Behaviour::EmptyBody
        | Behaviour::WrongEnvelope
        | Behaviour::NeverCompletes => None,
    })
}

/// Behaviours that spoil a true answer.
fn spoil(verdict: &Verdict, mut reply: Reply) -> Response<LabBody> {
    match verdict {
        Verdict::Do(Behaviour::Truncated) => {
            let whole = whole(reply.body);
            let half = whole.slice(..whole.len() / 2);
            reply.body = Body::Whole(Bytes::new());
            let mut response = respond(reply);
            response.headers_mut().insert("content-length", whole.len().into());
            *response.body_mut() = Cut { parts: VecDeque::from([half]) }.boxed_unsync();
            response
        }
        Verdict::Do(Behaviour::EmptyBody) => {
            reply.body = Body::Whole(Bytes::new());
            respond(reply)
        }
        Verdict::Do(Behaviour::WrongEnvelope) => {
            let json: Option<Value> = serde_json::from_slice(&whole(reply.body)).ok();
            let inner = json.map(|json| json.get("data").cloned().unwrap_or(json)).unwrap_or_default();
            reply.body = Body::Whole(serde_json::json!({ "items": inner }).to_string().into());
            respond(reply)
        }
        _ => respond(reply),
    }
}

fn whole(body: Body) -> Bytes {
    match body {
        Body::Whole(bytes) => bytes,
        Body::Pieces(pieces) => pieces.flat_map(|piece| piece.to_vec()).collect::<Vec<u8>>().into(),
    }
}

fn respond(reply: Reply) -> Response<LabBody> {
    let mut builder = Response::builder().status(reply.status).header("content-type", reply.content_type);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    let body = match reply.body {
        Body::Whole(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
        Body::Pieces(pieces) => Stream { pieces }.boxed_unsync(),
    };
    builder.body(body).unwrap_or_else(|_| {
        // Only a location that is no header value can get here.
        Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync())
    })
}

/// Finds the route, lets the caller in, and answers.
fn route(
    core: &Arc<Core>,
    method: &str,
    path: &str,
    query: &str,
    session: &str,
    options: &str,
    body: Bytes,
) -> Answer {
    let state = core.state();
    let now = core.clock.now();
    let fitting = core.routes.iter().filter_map(|route| route.fits(path).map(|params| (route, params)));
    let mut known = false;
    let mut found = None;
    for (route, params) in fitting {
        known = true;
        if route.method == method {
            found = Some((route, params));
            break;
        }
    }
    let Some((route, params)) = found else {
        // Unknown routes need a session too: a server does not tell strangers what it has.
        core.sessions.caller(&state, now, session)?;
        return Err(unknown(path, known));
    };
    if areas::module_missing(&state, path) {
        core.sessions.caller(&state, now, session)?;
        return Err(Refusal::new(404, "Not Found"));
    }
    let caller = match route.need {
        Need::Nobody => Caller::nobody(),
        need => {
            let caller = core.sessions.caller(&state, now, session)?;
            need.check(&caller)?;
            caller
        }
    };
    let query = parse_query(query);
    let options = Options::read(options, &query)?;
    let path = path.to_owned();
    (route.answer)(&Call { core, state, now, caller, path, params, query, options, body })
}

/// The v2 API answers 400 for a route that does not exist; a module that is not installed answers 404.
fn unknown(path: &str, other_method: bool) -> Refusal {
    match path.strip_prefix("/api/v2/") {
        _ if other_method => Refusal::new(405, "Method Not Allowed"),
        Some(route) => Refusal::new(400, format!("Invalid object route: {route}")),
        None => Refusal::new(404, "Not Found"),
    }
}

/// A body that is made while it is sent.
struct Stream {
    pieces: Box<dyn Iterator<Item = Bytes> + Send>,
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(self.pieces.next().map(|piece| Ok(Frame::data(piece))))
    }
}

/// A body that breaks off.
struct Cut {
    parts: VecDeque<Bytes>,
}

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(Some(self.parts.pop_front().map(Frame::data).ok_or(Broken)))
    }
}
