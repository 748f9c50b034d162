using System.Net.Sockets;
using System.Security.Authentication;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Transport;

/// <summary>Says in words why a host could not be reached.</summary>
internal static class NetworkFailure
{
    public static ImageStoreException Of(Uri uri, Exception cause)
    {
        var host = Printable.Of(uri.Authority);
        var (why, remedy) = cause switch
        {
            TimeoutException => ("it did not answer in time", "Try again, or look at the network and proxy."),
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } =>
                ("its name does not resolve", "Check the registry's name and this machine's DNS."),
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } when IsPlainServer(cause) =>
                ("it speaks plain HTTP, not TLS", "If that is intended, ask for plain HTTP."),
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
                ("the TLS handshake failed or its certificate is not trusted",
                    "Check the certificate, this machine's clock and its trusted authorities; SSL_CERT_FILE names a file with others."),
            { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } =>
                ("it refuses the connection", "Check that the registry runs and the port is right."),
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } =>
                ("the connection failed", "Check the network and proxy."),
            _ => ("the connection broke", "Try again."),
        };
        return new ImageStoreException(ErrorKind.Unavailable, $"{host} cannot be reached: {why}.", remedy, cause);
    }

    // SslStream reports bytes that are no TLS record as an authentication failure about the frame's format.
    private static bool IsPlainServer(Exception cause) =>
        cause.InnerException is AuthenticationException or IOException
        && (cause.InnerException.Message.Contains("frame", StringComparison.OrdinalIgnoreCase)
            || cause.InnerException.Message.Contains("corrupted", StringComparison.OrdinalIgnoreCase));
}
