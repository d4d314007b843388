// What differs between a Triton and prognet serve over gRPC.
import type { Reason } from './triton-requests.js';

/** Requests of scripts/serve/grpc_requests.py whose answers differ: why, and the statuses of Triton and of prognet serve. */
export const differs: Readonly<Record<string, readonly [why: Reason, triton: string, own: string]>> = {
  'a model: metadata': ['about', 'OK', 'OK'],
  'a model: config': ['about', 'OK', 'OK'],
  'version 1: metadata': ['about', 'OK', 'OK'],
  'version 1: config': ['about', 'OK', 'OK'],
  server: ['about', 'OK', 'OK'],
  'an input too many': ['words', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  'a type that is none': ['words', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  'another size': ['words', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  'another number of sizes': ['words', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  'a size below zero': ['words', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  'rows that differ': ['words', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  'a text cut off': ['words', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT'],
  'bytes that are no message': ['words', 'INTERNAL', 'INTERNAL'],
  'a method that is none': ['words', 'UNIMPLEMENTED', 'UNIMPLEMENTED'],
  'no row': ['rows', 'INVALID_ARGUMENT', 'OK'],
  'bytes too many': ['more', 'OK', 'INVALID_ARGUMENT'],
  'shared memory': ['extensions', 'NOT_FOUND', 'UNIMPLEMENTED'],
  classification: ['extensions', 'OK', 'UNIMPLEMENTED'],
  'an order of requests': ['extensions', 'OK', 'UNIMPLEMENTED'],
  'a sequence': ['extensions', 'OK', 'UNIMPLEMENTED'],
  'load with a configuration': ['extensions', 'INVALID_ARGUMENT', 'UNIMPLEMENTED'],
  'load, unknown': ['unknownLoad', 'INTERNAL', 'INVALID_ARGUMENT'],
  'unload, unknown': ['unknownLoad', 'OK', 'NOT_FOUND'],
};
