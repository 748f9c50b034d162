using System.Text;
using ImageStore.Store.Errors;

namespace ImageStore.Cli;

/// <summary>Takes a secret from a pipe, or from a terminal without showing it; never from the command line, which all users see.</summary>
internal static class SecretInput
{
    private const int MaxChars = 64 * 1024;

    /// <summary>All of standard input, without the line end that <c>echo</c> adds.</summary>
    /// <exception cref="ImageStoreException">It is empty or too long.</exception>
    public static string FromStandardInput()
    {
        var buffer = new char[MaxChars + 1];
        var count = Console.In.ReadBlock(buffer);
        var secret = count > MaxChars ? string.Empty : new string(buffer, 0, count).TrimEnd('\n').TrimEnd('\r');
        return secret.Length > 0
            ? secret
            : throw new ImageStoreException(
                ErrorKind.InvalidArgument, $"Standard input holds no password, or one of more than {MaxChars} characters.", "Pipe the password in.");
    }

    /// <summary>Asks at the terminal for what is missing.</summary>
    /// <exception cref="ImageStoreException">There is no terminal.</exception>
    public static (string Name, string Secret) Ask(string? name)
    {
        if (Console.IsInputRedirected)
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                "There is no terminal to ask for the password at.",
                "Pipe it in, with --username NAME --password-stdin.");
        }

        if (name is null)
        {
            Console.Error.Write("Username: ");
            name = Console.ReadLine();
        }

        Console.Error.Write("Password: ");
        var secret = Hidden();
        Console.Error.WriteLine();
        return string.IsNullOrEmpty(name) || secret.Length == 0
            ? throw new ImageStoreException(ErrorKind.InvalidArgument, "No name or no password was given.", "Try again.")
            : (name, secret);
    }

    private static string Hidden()
    {
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter && typed.Length < MaxChars)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }

        return typed.ToString();
    }
}
