using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using ImageStore.Distribution.Registry;
using ImageStore.Store.Errors;
using Polly;
using Polly.Retry;

namespace ImageStore.Distribution.Transport;

/// <summary>Sends requests: retries, redirects, deadlines and caps. It knows nothing of who asks for what.</summary>
internal sealed class HttpTransport : IDisposable
{
    private readonly RegistryOptions _options;
    private readonly HttpMessageInvoker _invoker;
    private readonly ResiliencePipeline<Reply> _pipeline;
    private readonly ConcurrentDictionary<string, bool> _answered = new(StringComparer.Ordinal);

    public HttpTransport(RegistryOptions options)
    {
        _options = options;
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            MaxConnectionsPerServer = options.MaxConnectionsPerHost,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        });
        _pipeline = new ResiliencePipelineBuilder<Reply> { TimeProvider = options.Time }
            .AddRetry(new RetryStrategyOptions<Reply>
            {
                MaxRetryAttempts = options.MaxRetries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                ShouldHandle = static arguments => ValueTask.FromResult(IsTransient(arguments.Outcome)),
                DelayGenerator = arguments => ValueTask.FromResult(RetryAfter.Parse(
                    arguments.Outcome.Result?.Header("Retry-After"), options.Time.GetUtcNow(), options.MaxRetryDelay)),
                OnRetry = static arguments =>
                {
                    arguments.Outcome.Result?.Dispose();
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>Sends until an answer stands; any status may come back.</summary>
    /// <exception cref="ImageStoreException">The host cannot be reached, or its answer breaks a rule.</exception>
    public async Task<Reply> SendAsync(RegistryRequest request, CancellationToken ct)
    {
        try
        {
            if (!request.Retry)
            {
                return await FollowAsync(request, ct).ConfigureAwait(false);
            }

            return await _pipeline.ExecuteAsync(
                static (state, token) => new ValueTask<Reply>(state.Transport.FollowAsync(state.Request, token)),
                (Transport: this, Request: request),
                ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
        {
            throw NetworkFailure.Of(request.Uri, e);
        }
    }

    public void Dispose() => _invoker.Dispose();

    private static bool IsTransient(Outcome<Reply> outcome) =>
        outcome.Exception is HttpRequestException or IOException or TimeoutException
        || (outcome.Result is { } reply && (int)reply.Status is 408 or 429 or 500 or 502 or 503 or 504);

    // A certificate does not change by asking again, and a host that never answered is rather misspelt than busy.
    private bool IsForGood(Uri uri, HttpRequestException failure) =>
        failure.HttpRequestError == HttpRequestError.SecureConnectionError
        || (failure.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            && !_answered.ContainsKey(uri.Authority));

    private async Task<Reply> FollowAsync(RegistryRequest request, CancellationToken ct)
    {
        var uri = request.Uri;
        for (var hop = 0; hop <= RedirectPolicy.MaxHops; hop++)
        {
            var message = await SendOnceAsync(request, uri, ct).ConfigureAwait(false);
            // A form carries a refresh token: it goes nowhere but where it was addressed to.
            if (!RedirectPolicy.IsRedirect(message.StatusCode) || request.Form is not null)
            {
                return await CompleteAsync(request, uri, message, ct).ConfigureAwait(false);
            }

            using (message)
            {
                uri = RedirectPolicy.Next(uri, message.Headers.Location);
            }
        }

        throw new ImageStoreException(
            ErrorKind.Unavailable,
            $"{request.Uri.Authority} redirects more than {RedirectPolicy.MaxHops} times.",
            "Ask the registry's operator to look at its redirects.");
    }

    private async Task<HttpResponseMessage> SendOnceAsync(RegistryRequest request, Uri uri, CancellationToken ct)
    {
        using var message = new HttpRequestMessage(request.Method, uri);
        message.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        message.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (request.Accept is not null)
        {
            message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        }

        if (request.RangeFrom > 0 || request.RangeTo is not null)
        {
            message.Headers.Range = new RangeHeaderValue(request.RangeFrom, request.RangeTo);
        }

        if (request.Authorization is not null && RedirectPolicy.SameOrigin(request.Uri, uri))
        {
            message.Headers.Authorization = request.Authorization;
        }

        if (request.Form is not null)
        {
            message.Content = new FormUrlEncodedContent(request.Form);
        }

        using var deadline = new CancellationTokenSource(_options.ResponseTimeout, _options.Time);
        var sent = request.Body is { } body
            ? new StreamedContent(body, () => deadline.CancelAfter(_options.ResponseTimeout))
            : null;
        message.Content ??= sent;
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            var answer = await _invoker.SendAsync(message, linked.Token).ConfigureAwait(false);
            _answered[uri.Authority] = true;
            return answer;
        }
        catch (Exception) when (sent?.SourceFailure is ImageStoreException)
        {
            throw sent.SourceFailure;
        }
        catch (HttpRequestException e) when (IsForGood(uri, e))
        {
            throw NetworkFailure.Of(uri, e);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException("No answer came in time.", e);
        }
    }

    private async Task<Reply> CompleteAsync(
        RegistryRequest request, Uri uri, HttpResponseMessage message, CancellationToken ct)
    {
        try
        {
            var body = ReadOnlyMemory<byte>.Empty;
            if (!message.IsSuccessStatusCode)
            {
                body = await CappedBody.ReadErrorAsync(message, _options, ct).ConfigureAwait(false);
            }
            else if (request.BodyLimit is { } limit)
            {
                body = await CappedBody.ReadAsync(message, limit, _options, ct).ConfigureAwait(false);
            }

            return new Reply(message, uri, body) { RequestUri = request.Uri };
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }
}
