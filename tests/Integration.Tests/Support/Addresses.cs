using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Addresses and ports for servers of tests.</summary>
internal static class Addresses
{
    private const int Attempts = 200;

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>An address of this machine that is not loopback; skips the test where there is none.</summary>
    public static IPAddress OtherAddress()
    {
        var found = NetworkInterface.GetAllNetworkInterfaces()
            .Where(card => card.OperationalStatus == OperationalStatus.Up)
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
        if (found is null)
        {
            Assert.Skip("this machine has no address but loopback");
        }

        return found;
    }

    /// <summary>Waits until a server accepts connections.</summary>
    public static async Task WaitAsync(string host)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPEndPoint.Parse(host));
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }

        throw new InvalidOperationException($"Nothing listens on {host}.");
    }
}
