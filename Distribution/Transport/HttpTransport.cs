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
    private readonly Connections _connections;
    private readonly ResiliencePipeline<Reply> _pipeline;
    private readonly RetryBudget _budget = new();
    private readonly ConcurrentDictionary<string, bool> _answered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, HostGate> _gates = new(StringComparer.Ordinal);

    public HttpTransport(RegistryOptions options)
    {
        _options = options;
        _connections = new Connections(options);
        Bandwidth = new BandwidthCaps(options);
        Health = new HostHealth(options.Time);
        _pipeline = new ResiliencePipelineBuilder<Reply> { TimeProvider = options.Time }
            .AddRetry(new RetryStrategyOptions<Reply>
            {
                MaxRetryAttempts = options.MaxRetries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                ShouldHandle = arguments => ValueTask.FromResult(IsTransient(arguments.Outcome) && MayRepeat(arguments.Context)),
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

    private static ResiliencePropertyKey<Uri> Asked { get; } = new("uri");

    public BandwidthCaps Bandwidth { get; }

    public HostHealth Health { get; }

    /// <summary>May one more repeat be made to the host? All that ask it share this.</summary>
    public bool MayRepeat(Uri host) => _budget.TryTake(host);

    /// <summary>Sends until an answer stands; any status may come back.</summary>
    /// <exception cref="ImageStoreException">The host cannot be reached, or its answer breaks a rule.</exception>
    public async Task<Reply> SendAsync(RegistryRequest request, CancellationToken ct)
    {
        var context = ResilienceContextPool.Shared.Get(ct);
        context.Properties.Set(Asked, request.Uri);
        try
        {
            return request.Retry
                ? await _pipeline.ExecuteAsync(
                    static (context, state) => new ValueTask<Reply>(state.Transport.FollowAsync(state.Request, context.CancellationToken)),
                    context,
                    (Transport: this, Request: request)).ConfigureAwait(false)
                : await FollowAsync(request, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
        {
            throw NetworkFailure.Of(request.Uri, e);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public void Dispose() => _connections.Dispose();

    private static bool IsTransient(Outcome<Reply> outcome) =>
        outcome.Exception is HttpRequestException or IOException or TimeoutException
        || (outcome.Result is { } reply && (int)reply.Status is 408 or 429 or 500 or 502 or 503 or 504);

    private bool MayRepeat(ResilienceContext context) =>
        context.Properties.TryGetValue(Asked, out var uri) && _budget.TryTake(uri);

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
            var message = await InTurnAsync(request, uri, ct).ConfigureAwait(false);
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

    private async Task<HttpResponseMessage> InTurnAsync(RegistryRequest request, Uri uri, CancellationToken ct)
    {
        var gate = _gates.GetOrAdd(uri.Authority, static _ => new HostGate());
        await gate.EnterAsync(ct).ConfigureAwait(false);
        var answer = HostAnswer.None;
        try
        {
            var message = await SendOnceAsync(request, uri, ct).ConfigureAwait(false);
            answer = message.StatusCode == HttpStatusCode.TooManyRequests ? HostAnswer.TooMany : HostAnswer.Served;
            if ((int)message.StatusCode is not (408 or 429 or >= 500))
            {
                _budget.Earn(uri);
            }

            return message;
        }
        finally
        {
            gate.Leave(answer);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(RegistryRequest request, Uri uri, CancellationToken ct)
    {
        var home = RedirectPolicy.SameOrigin(request.Uri, uri);
        using var message = Message(request, uri, home);
        using var deadline = new CancellationTokenSource(_options.ResponseTimeout, _options.Time);
        var caps = Bandwidth.Of(request.Host);
        var sent = request.Body is { } body
            ? new StreamedContent(body, async count =>
            {
                deadline.CancelAfter(_options.ResponseTimeout);
                await caps.SpendAsync(count, ct).ConfigureAwait(false);
            })
            : null;
        message.Content ??= sent;
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            var answer = await _connections.To(request.Host, home).SendAsync(message, linked.Token).ConfigureAwait(false);
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

    private HttpRequestMessage Message(RegistryRequest request, Uri uri, bool home)
    {
        var message = new HttpRequestMessage(request.Method, uri)
        {
            Version = request.OwnConnection ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
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

        if (home)
        {
            message.Headers.Authorization = request.Authorization;
            foreach (var (name, value) in _options.Headers.Concat(request.Host?.Headers ?? []))
            {
                message.Headers.Remove(name);
                message.Headers.TryAddWithoutValidation(name, value);
            }
        }

        if (request.Form is not null)
        {
            message.Content = new FormUrlEncodedContent(request.Form);
        }

        return message;
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

            return new Reply(message, uri, body) { RequestUri = request.Uri, Host = request.Host };
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }
}
